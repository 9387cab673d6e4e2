/** Tables that keep something large of few jobs, and its size, so that the sizes are read before what they are of. */
import type { Storage } from "@agent-paas/shared/db/storage.ts";

type Size = { readonly job_id: string; readonly bytes: number };
type Ids = { ids: string[] };

/**
 * Reads a JSON column of such a table for some of the given jobs, newest first: as far as all up to them have at most
 * `maxBytes` together. Returns the texts by job.
 */
export function createNewestReader<Column extends string>(
  { table, sql, prepareRead }: Pick<Storage, "table" | "sql" | "prepareRead">,
  name: "message_parts" | "whole_turns",
  column: Column,
  maxBytes: number,
) {
  const rowsOf = (ids: string[]) => table(name).where(sql.isOneOf("job_id", ids));
  const readSizes = prepareRead<Size, Ids>(({ ids }) => rowsOf(ids).select("job_id", "bytes"));
  const readTexts = prepareRead<{ readonly job_id: string } & Record<Column, string>, Ids>(({ ids }) =>
    rowsOf(ids).select("job_id", column),
  );

  return async function newest(jobIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const sizes = jobIds.length === 0 ? [] : await readSizes({ ids: [...jobIds] });
    const ids = newestWithin(jobIds, sizes, maxBytes);
    const rows = ids.length === 0 ? [] : await readTexts({ ids });
    return new Map(rows.map((row) => [row.job_id, row[column]]));
  };
}

/** Those of the jobs, newest first, that have a size, as far as all up to them fit. */
function newestWithin(jobIds: readonly string[], sizes: readonly Size[], maxBytes: number): string[] {
  const bytesOf = new Map(sizes.map(({ job_id, bytes }) => [job_id, bytes]));
  let left = maxBytes;
  return jobIds.filter((id) => {
    left -= bytesOf.get(id) ?? 0;
    return bytesOf.has(id) && left >= 0;
  });
}
