/**
 * The ids of the protocol. Each says of what it is an id, and carries the platform's: nothing has to be remembered, and
 * every API resolves them.
 */
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { IdSchema, namedId, newId } from "@agent-paas/shared/ids.ts";

export const responseId = (jobId: string): string => `resp_${jobId}`;
export const messageId = (jobId: string): string => `msg_${jobId}`;
export const reasoningId = (jobId: string, at: number): string => `rs_${jobId}_${at}`;
export const callItemId = (jobId: string, at: number): string => `fc_${jobId}_${at}`;

/** The job of a response; the job's own id does as well. Throws `job_not_found`, also for what is no id. */
export function jobIdOf(id: string, param = "response_id"): string {
  const parsed = IdSchema.safeParse(id.replace(/^resp_/, ""));
  if (!parsed.success)
    throw new PlatformError("job_not_found", { message: `${param}: there is no such response`, param });
  return parsed.data;
}

const ITEM_ID = /^(msg|rs|fc)_([0-9a-f-]{36})(?:_(\d{1,4}))?$/;

export type ItemRef = { readonly type: "message" | "reasoning" | "call"; readonly jobId: string; readonly at: number };

/** What an output item's id refers to; null: it is none of ours. */
export function itemRefOf(id: string): ItemRef | null {
  const [, prefix, jobId = "", at = "0"] = ITEM_ID.exec(id) ?? [];
  if (prefix === undefined || !IdSchema.safeParse(jobId).success) return null;
  const type = prefix === "msg" ? "message" : prefix === "rs" ? "reasoning" : "call";
  return { type, jobId, at: Number(at) };
}

/** Characters of the part of a conversation's id that tells its owner. */
const MARK = 8;

const markOf = (owner: string, uuid: string): string => namedId(owner, `conversation ${uuid}`).slice(0, MARK);

/** A conversation is stored with its first response. Until then its id alone tells that its owner has begun it. */
export function newConversationId(owner: string): string {
  const uuid = newId();
  return `conv_${uuid}_${markOf(owner, uuid)}`;
}

/** Null for an id that was not given to this owner. */
export function readConversationId(
  owner: string,
  id: string,
): { readonly sessionId: string; readonly uuid: string } | null {
  const [, uuid = "", mark] = /^conv_([0-9a-f-]{36})_([0-9a-f]{8})$/.exec(id) ?? [];
  return mark !== undefined && mark === markOf(owner, uuid) ? { sessionId: namedId(owner, id), uuid } : null;
}
