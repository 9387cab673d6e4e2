/** Reads and fences the rows of jobs that nobody may be running any more. */
import { TERMINAL_STATUSES } from "@agent-paas/shared/contract/jobs.ts";
import type { JobRow } from "@agent-paas/shared/db/rows.ts";
import type { Knex } from "knex";
import { writeBatch } from "./write-batch.ts";

/** What it takes to end a job without its payload. */
export type RunningJobRow = Pick<JobRow, "id" | "kind" | "owner" | "agent_type" | "session_id" | "fencing_token">;

export type OrphanedJobRepository = ReturnType<typeof createOrphanedJobRepository>;

export function createOrphanedJobRepository(db: Knex, worker: string) {
  return {
    /** Jobs whose rows say that they run, by id, behind the id `after`. */
    running: async (after: string, limit: number): Promise<RunningJobRow[]> =>
      db<JobRow>("agent_logs")
        // A literal, because the index holds only these rows and serves only queries that say so.
        .whereRaw("status = 'running'")
        .where("id", ">", after)
        .orderBy("id")
        .limit(limit)
        .select("id", "kind", "owner", "agent_type", "session_id", "fencing_token"),

    /** Which of the jobs have rows that say how they ended. */
    ended: async (jobIds: readonly string[]): Promise<string[]> =>
      db<JobRow>("agent_logs")
        .whereIn("id", jobIds)
        .whereIn("status", [...TERMINAL_STATUSES])
        .pluck("id"),

    /** Fences the row off from all lower attempts (I4). False: it was started or ended since it was read. */
    takeOver: ({ id, fencing_token: readToken }: RunningJobRow, fencingToken: number): Promise<boolean> =>
      writeBatch(db, [
        {
          query: db<JobRow>("agent_logs")
            .where({ id, fencing_token: readToken, status: "running" })
            .update({ fencing_token: fencingToken, worker }),
          guard: true,
        },
      ]),
  };
}
