/** The jobs that this process runs, so that each can be aborted by its id. */
import { type AbortReason, createRunControl, type RunControl } from "../run/run-control.ts";

export type RunningJobs = ReturnType<typeof createRunningJobs>;

export function createRunningJobs() {
  const runs = new Map<string, RunControl>();

  return {
    /** Registers a run and calls `work` with its control; the run is forgotten when `work` has settled. */
    async during<T>(jobId: string, work: (run: RunControl) => Promise<T>): Promise<T> {
      const run = createRunControl();
      runs.set(jobId, run);
      try {
        return await work(run);
      } finally {
        // A later run of the same job may have taken the place.
        if (runs.get(jobId) === run) runs.delete(jobId);
      }
    },
    abort: (jobId: string, reason: AbortReason) => runs.get(jobId)?.abort(reason),
    abortAll: (reason: AbortReason) => {
      for (const run of runs.values()) run.abort(reason);
    },
    ids: (): string[] => [...runs.keys()],
  };
}
