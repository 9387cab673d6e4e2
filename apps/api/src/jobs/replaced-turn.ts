/** A message of a session that a request edits or sends again: what stands in its place replaces all behind it. */
import type { MessagePart } from "@agent-paas/shared/contract/message-parts.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { SessionReader } from "../storage/session-reader.ts";
import type { ReplacedMessages } from "./accept-job.ts";
import { jobsAfter, type ListServices } from "./session-jobs.ts";

export type ReplacedTurn = {
  /** Why nothing is replaced; a request that is sent twice has replaced the message itself. */
  readonly refusal: PlatformError | null;
  /** The message as it was. */
  readonly text: string;
  readonly parts?: readonly MessagePart[];
  /** The message and all behind it. */
  readonly replaces: ReplacedMessages | null;
};

type ReplaceServices = ListServices & { readonly sessions: Pick<SessionReader, "message" | "parts"> };

export const NOTHING_REPLACED: ReplacedTurn = { refusal: null, text: "", replaces: null };

export async function findReplacedTurn(
  services: ReplaceServices,
  owner: string,
  sessionId: string | undefined,
  messageId: string,
): Promise<ReplacedTurn> {
  if (sessionId === undefined) return refusal("needs the session_id of the message");
  const message = await services.sessions.message(owner, sessionId, messageId);
  if (message === undefined) return refusal("the session has no such message");
  const { role, content: text, job_id: jobId, ordinal } = message;
  if (role !== "user") return refusal(`the message is of role ${role}, and only those of the user are replaced`);
  const later = await jobsAfter(services, owner, sessionId, jobId);
  if (later === null) return refusal("too many jobs came after the message");
  const [stored] = await services.sessions.parts([jobId]);
  const parts = stored === undefined ? {} : { parts: JSON.parse(stored.parts) as MessagePart[] };
  return { refusal: null, text, ...parts, replaces: { from_ordinal: ordinal, jobs: [...later, jobId] } };
}

const refusal = (problem: string): ReplacedTurn => ({
  ...NOTHING_REPLACED,
  refusal: new PlatformError("invalid_request", { message: `replace_from: ${problem}`, param: "replace_from" }),
});
