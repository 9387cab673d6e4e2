/** The parts of a page of messages. A page with large ones is shorter, and the next page goes on where it ends. */
import type { MessagePart } from "@agent-paas/shared/contract/message-parts.ts";
import type { MessageRow } from "@agent-paas/shared/db/rows.ts";
import type { SessionReader } from "../storage/session-reader.ts";

/** Of one page, but never less than the newest message. */
const MAX_PAGE_BYTES = 16 * 1_024 * 1_024;

type Page = {
  readonly messages: readonly MessageRow[];
  readonly partsOf: ReadonlyMap<string, readonly MessagePart[]>;
};

/** @param messages oldest first; the newest of them stay. */
export async function withinParts(
  sessions: Pick<SessionReader, "partSizes" | "parts">,
  messages: readonly MessageRow[],
): Promise<Page> {
  const questions = messages.filter(({ role }) => role === "user").map(({ job_id }) => job_id);
  const sizes = questions.length === 0 ? [] : await sessions.partSizes(questions);
  if (sizes.length === 0) return { messages, partsOf: new Map() };
  const bytesOf = new Map(sizes.map(({ job_id, bytes }) => [job_id, Number(bytes)]));
  let from = messages.length;
  for (let left = MAX_PAGE_BYTES; from > 0; from--) {
    const message = messages[from - 1];
    if (message?.role === "user") left -= bytesOf.get(message.job_id) ?? 0;
    if (left < 0 && from < messages.length) break;
  }
  const kept = messages.slice(from);
  const ids = kept.filter(({ role, job_id }) => role === "user" && bytesOf.has(job_id)).map(({ job_id }) => job_id);
  const rows = await sessions.parts(ids);
  return { messages: kept, partsOf: new Map(rows.map(({ job_id, parts }) => [job_id, JSON.parse(parts)])) };
}
