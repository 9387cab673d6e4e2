/** The parts of the messages of a session, for the model. Not every message has parts, and they may be large. */
import type { MessagePart } from "@agent-paas/shared/contract/message-parts.ts";
import type { Storage } from "@agent-paas/shared/db/storage.ts";

/** A history has no larger parts together; the newest are kept. */
const MAX_HISTORY_BYTES = 16 * 1_024 * 1_024;

export type PartsByJob = ReadonlyMap<string, readonly MessagePart[]>;

/** @param jobIds the jobs whose messages are asked for, newest first. */
export async function readParts({ table, sql }: Pick<Storage, "table" | "sql">, jobIds: readonly string[]) {
  const sizes = await table("message_parts")
    .where(sql.isOneOf("job_id", [...jobIds]))
    .select("job_id", "bytes");
  const bytesOf = new Map(sizes.map(({ job_id, bytes }) => [job_id, bytes]));
  let left = MAX_HISTORY_BYTES;
  const kept: string[] = [];
  for (const jobId of jobIds) {
    const bytes = bytesOf.get(jobId);
    if (bytes === undefined) continue;
    left -= bytes;
    if (left < 0) break;
    kept.push(jobId);
  }
  if (kept.length === 0) return new Map() as PartsByJob;
  const rows = await table("message_parts").where(sql.isOneOf("job_id", kept)).select("job_id", "parts");
  return new Map(rows.map(({ job_id, parts }) => [job_id, JSON.parse(parts)])) as PartsByJob;
}
