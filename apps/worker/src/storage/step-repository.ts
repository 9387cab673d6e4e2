/** Writes and reads the journal. Every write is fenced by the attempt (I4). */
import type { JobRow, StepRow } from "@agent-paas/shared/db/rows.ts";
import type { Knex } from "knex";
import { writeBatch } from "./write-batch.ts";

export type StepRepository = ReturnType<typeof createStepRepository>;

export function createStepRepository(db: Knex) {
  return {
    /** The steps of a job, in the order begun. */
    load: async (jobId: string): Promise<StepRow[]> =>
      db<StepRow>("agent_steps").where({ job_id: jobId }).orderBy("step_no"),

    /** Writes a step, over what is known of it. False: the job is no longer this attempt's, and nothing was written. */
    save: (step: StepRow): Promise<boolean> => {
      const { status, value, attempt, finished_at } = step;
      return writeBatch(db, [
        {
          query: db<JobRow>("agent_logs").where({ id: step.job_id, attempt, status: "running" }).update({ attempt }),
          guard: true,
        },
        {
          query: db("agent_steps")
            .insert(step)
            .onConflict(["job_id", "step_key"])
            .merge({ status, value, attempt, finished_at }),
        },
      ]);
    },
  };
}
