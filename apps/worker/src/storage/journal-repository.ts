/** Writes and reads the journal. Every write is fenced by the attempt (I4). */
import type { JobRow, JournalRow } from "@agent-paas/shared/db/rows.ts";
import type { Knex } from "knex";
import { writeBatch } from "./write-batch.ts";

export type JournalRepository = ReturnType<typeof createJournalRepository>;

export function createJournalRepository(db: Knex) {
  return {
    /** The steps of a job, in the order begun. */
    load: async (jobId: string): Promise<JournalRow[]> =>
      db<JournalRow>("agent_steps").where({ job_id: jobId }).orderBy("step_no"),

    /** Writes a step, over what is known of it. False: the job is no longer this attempt's, and nothing was written. */
    save: (step: JournalRow): Promise<boolean> => {
      const { status, value, fencing_token, finished_at } = step;
      return writeBatch(db, [
        {
          query: db<JobRow>("agent_logs")
            .where({ id: step.job_id, fencing_token, status: "running" })
            .update({ fencing_token }),
          guard: true,
        },
        {
          query: db("agent_steps")
            .insert(step)
            .onConflict(["job_id", "step_key"])
            .merge({ status, value, fencing_token, finished_at }),
        },
      ]);
    },
  };
}
