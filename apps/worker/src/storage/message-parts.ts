/** The parts of the messages of a session, for the model. Few messages have any, and those may be large. */
import type { MessagePart } from "@agent-paas/shared/contract/message-parts.ts";
import type { Storage } from "@agent-paas/shared/db/storage.ts";
import { createNewestReader } from "./newest-by-job.ts";

/** A history has no larger parts together; the newest are kept. */
const MAX_HISTORY_BYTES = 16 * 1_024 * 1_024;

export type PartsByJob = ReadonlyMap<string, readonly MessagePart[]>;

export function createPartsReader(storage: Pick<Storage, "table" | "sql" | "prepareRead">) {
  const newest = createNewestReader(storage, "message_parts", "parts", MAX_HISTORY_BYTES);

  /** @param jobIds the jobs whose messages are asked for, newest first. */
  return async function partsOf(jobIds: readonly string[]): Promise<PartsByJob> {
    return new Map([...(await newest(jobIds))].map(([jobId, parts]) => [jobId, JSON.parse(parts)]));
  };
}
