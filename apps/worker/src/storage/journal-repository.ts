/** Writes and reads the journal of a job. Every write is fenced by the job's fencing token (I4). */
import type { JournalRow } from "@agent-paas/shared/db/rows.ts";
import type { Storage } from "@agent-paas/shared/db/storage.ts";

export type JournalRepository = ReturnType<typeof createJournalRepository>;

/** @param now the installation's clock: an entry's times are compared with those of its job. */
export function createJournalRepository({ table, write }: Storage, now: () => number = Date.now) {
  return {
    /** The time that an entry begins or finishes with. */
    time: (): string => new Date(now()).toISOString(),

    /** The entries of a job, in the order of their beginnings. */
    load: async (jobId: string): Promise<JournalRow[]> =>
      table("agent_steps").where({ job_id: jobId }).orderBy("step_no"),

    /** Writes an entry over its former state. False: the job has another fencing token or has ended. */
    save: (entry: JournalRow): Promise<boolean> => {
      const { status, value, fencing_token, finished_at } = entry;
      return write([
        {
          query: table("agent_logs")
            .where({ id: entry.job_id, fencing_token, status: "running" })
            .update({ fencing_token }),
          guard: true,
        },
        {
          query: table("agent_steps")
            .insert(entry)
            .onConflict(["job_id", "step_key"])
            .merge({ status, value, fencing_token, finished_at }),
        },
      ]);
    },
  };
}
