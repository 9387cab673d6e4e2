/** Reads the rows of running jobs, and fences orphaned ones off from the workers that ran them. */
import { TERMINAL_STATUSES } from "@agent-paas/shared/contract/jobs.ts";
import type { JobRow } from "@agent-paas/shared/db/rows.ts";
import type { Storage } from "@agent-paas/shared/db/storage.ts";

/** The columns that finalizing a job without its payload needs. */
const COLUMNS = [
  ...(["id", "kind", "owner", "agent_type", "session_id", "fencing_token"] as const),
  ...(["attempts", "timeline"] as const),
] as const;
export type RunningJobRow = Pick<JobRow, (typeof COLUMNS)[number]>;

export type OrphanedJobRepository = ReturnType<typeof createOrphanedJobRepository>;

export function createOrphanedJobRepository({ table, write }: Storage, worker: string) {
  const suspensionOfRow = () => table("suspended_jobs").whereRaw("suspended_jobs.job_id = agent_logs.id");
  return {
    /** Jobs that run according to their rows and wait for nobody, by id, from the first id greater than `after`. */
    running: async (after: string, limit: number): Promise<RunningJobRow[]> =>
      table("agent_logs")
        // A literal, because the partial index serves only queries that repeat its condition.
        .whereRaw("status = 'running'")
        .where("id", ">", after)
        .whereNotExists(suspensionOfRow())
        .orderBy("id")
        .limit(limit)
        .select(...COLUMNS),

    /** The ids of those jobs that have a row. */
    known: async (jobIds: readonly string[]): Promise<string[]> =>
      table("agent_logs").whereIn("id", jobIds).pluck("id"),

    /** The ids of those jobs whose rows have a terminal status. */
    ended: async (jobIds: readonly string[]): Promise<string[]> =>
      table("agent_logs")
        .whereIn("id", jobIds)
        .whereIn("status", [...TERMINAL_STATUSES])
        .pluck("id"),

    /**
     * Raises the fencing token of a running job (I4). False: the job was started, suspended or ended since the row was
     * read.
     */
    takeOver: ({ id, fencing_token: readToken }: RunningJobRow, fencingToken: number): Promise<boolean> =>
      write(
        [
          {
            query: table("agent_logs")
              .where({ id, fencing_token: readToken, status: "running" })
              .whereNotExists(suspensionOfRow())
              .update({ fencing_token: fencingToken, worker }),
            guard: true,
          },
        ],
        { written: () => table("agent_logs").where({ id, fencing_token: fencingToken, worker, status: "running" }) },
      ),
  };
}
