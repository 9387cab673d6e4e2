/** The parts of the messages of a session, for the model. Few messages have any, and those may be large. */
import type { MessagePart } from "@agent-paas/shared/contract/message-parts.ts";
import type { MessagePartsRow } from "@agent-paas/shared/db/rows.ts";
import type { Storage } from "@agent-paas/shared/db/storage.ts";

/** A history has no larger parts together; the newest are kept. */
const MAX_HISTORY_BYTES = 16 * 1_024 * 1_024;

export type PartsByJob = ReadonlyMap<string, readonly MessagePart[]>;

type Size = { readonly job_id: string; readonly bytes: number };

/** Those of the jobs, newest first, that have a size, as far as all up to them fit. */
export function newestWithin(jobIds: readonly string[], sizes: readonly Size[], maxBytes: number): string[] {
  const bytesOf = new Map(sizes.map(({ job_id, bytes }) => [job_id, bytes]));
  let left = maxBytes;
  return jobIds.filter((id) => {
    left -= bytesOf.get(id) ?? 0;
    return bytesOf.has(id) && left >= 0;
  });
}

type Ids = { ids: string[] };

export function createPartsReader({ table, sql, prepareRead }: Pick<Storage, "table" | "sql" | "prepareRead">) {
  const readSizes = prepareRead<Pick<MessagePartsRow, "job_id" | "bytes">, Ids>(({ ids }) =>
    table("message_parts").where(sql.isOneOf("job_id", ids)).select("job_id", "bytes"),
  );
  const readParts = prepareRead<Pick<MessagePartsRow, "job_id" | "parts">, Ids>(({ ids }) =>
    table("message_parts").where(sql.isOneOf("job_id", ids)).select("job_id", "parts"),
  );

  /** @param jobIds the jobs whose messages are asked for, newest first. */
  return async function partsOf(jobIds: readonly string[]): Promise<PartsByJob> {
    const sizes = jobIds.length === 0 ? [] : await readSizes({ ids: [...jobIds] });
    if (sizes.length === 0) return new Map();
    const ids = newestWithin(jobIds, sizes, MAX_HISTORY_BYTES);
    const rows = await readParts({ ids });
    return new Map(rows.map(({ job_id, parts }) => [job_id, JSON.parse(parts)]));
  };
}
