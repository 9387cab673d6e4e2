/** The jobs whose ends this process has published in the last minutes, for when Redis loses them (`lost-ends.ts`). */
import { MINUTE } from "@agent-paas/shared/time.ts";
import type { EndedJob } from "./places.ts";

/** An end is kept for so long at least, unless too many follow; failovers are over by then. */
const KEEP_MS = MINUTE;
const KEEP_AT_LEAST = 10_000;

export type RecentEnds = ReturnType<typeof createRecentEnds>;

export function createRecentEnds() {
  let older: EndedJob[] = [];
  let newer: EndedJob[] = [];
  let newerSince = performance.now();
  return {
    note({ job_id, kind, owner, agent_type, session_id, large_fields }: EndedJob): void {
      const now = performance.now();
      if (newer.length >= KEEP_AT_LEAST || now - newerSince > KEEP_MS) {
        older = newer;
        newer = [];
        newerSince = now;
      }
      // A copy: the whole payload may be large.
      newer.push({ job_id, kind, owner, agent_type, session_id, large_fields });
    },

    all: (): EndedJob[] => [...older, ...newer],
  };
}
