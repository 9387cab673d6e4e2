/** A list of jobs, a page at a time: the page that is shown is asked for again every so often. */
import type { JobPage, JobsQuery } from "@agent-paas/client";
import { useEffect, useState } from "preact/hooks";
import { client } from "../state/connection.ts";
import { type Loaded, useLoad } from "../ui/use-load.ts";

export type JobPages = Loaded<JobPage> & {
  /** Absent on the first page. */
  readonly toNewer: (() => void) | undefined;
  /** Absent on the last page. */
  readonly toOlder: (() => void) | undefined;
};

export function useJobPages(query: JobsQuery, everyMs: number): JobPages {
  const inputs = [JSON.stringify(query), client.value];
  /** Where the pages begin that were turned: none on the first. */
  const [starts, setStarts] = useState<readonly string[]>([]);
  useEffect(() => setStarts([]), inputs);
  const before = starts.at(-1);
  const loaded = useLoad((signal) => client.value.jobs.list({ ...query, before, signal }), [...inputs, before], {
    everyMs,
  });
  const next = loaded.value?.next ?? null;
  return {
    ...loaded,
    toNewer: starts.length === 0 ? undefined : () => setStarts(starts.slice(0, -1)),
    toOlder: next === null ? undefined : () => setStarts([...starts, next]),
  };
}
