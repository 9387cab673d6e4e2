/** The jobs that this process runs, so that each can be aborted by its id. */
import { type AbortReason, createRunControl, type RunControl } from "../run/run-control.ts";

export type RunningJobs = ReturnType<typeof createRunningJobs>;

export function createRunningJobs() {
  const runs = new Map<string, { readonly run: RunControl; readonly fencingToken: number }>();

  return {
    /** Registers a run and calls `work` with its control; the run is forgotten when `work` has settled. */
    async during<T>(jobId: string, fencingToken: number, work: (run: RunControl) => Promise<T>): Promise<T> {
      const run = createRunControl();
      runs.set(jobId, { run, fencingToken });
      try {
        return await work(run);
      } finally {
        // A later run of the same job may have taken the place.
        if (runs.get(jobId)?.run === run) runs.delete(jobId);
      }
    },
    abort: (jobId: string, reason: AbortReason) => runs.get(jobId)?.run.abort(reason),
    abortAll: (reason: AbortReason) => {
      for (const { run } of runs.values()) run.abort(reason);
    },
    /** Whether this very run goes on, and nothing has aborted it. */
    isHeld(jobId: string, fencingToken: number): boolean {
      const held = runs.get(jobId);
      return held?.fencingToken === fencingToken && !held.run.signal.aborted;
    },
    ids: (): string[] => [...runs.keys()],
  };
}
