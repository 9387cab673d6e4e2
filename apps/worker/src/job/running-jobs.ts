/** The jobs that this process runs, and the one way to stop each: aborting its signal with a reason. */
import type { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";

export type AbortReason =
  /** Somebody called cancel: end the job as cancelled (I7). */
  | "cancelled"
  /** The job is another attempt's by now, or its lock is lost: stop and say nothing (I4). */
  | "superseded"
  /** This process stops: give the job back unfinished. */
  | "shutdown"
  /** The job's time limit. */
  | "deadline";

export class RunAborted extends Error {
  override readonly name = "RunAborted";
  readonly reason: AbortReason;

  constructor(reason: AbortReason) {
    super(`the run was aborted: ${reason}`);
    this.reason = reason;
  }
}

const stops = new WeakSet<object>();

/** Whether this very error has stopped a run: what waited for that run's sake may reject with it after all is said. */
export const hasStoppedRun = (error: unknown): boolean => error instanceof Error && stops.has(error);

export type Run = {
  readonly signal: AbortSignal;
  /** The first reason stays. */
  abort(reason: AbortReason): void;
  /** Aborts with a failure of the job. */
  fail(error: PlatformError): void;
};

export type RunningJobs = ReturnType<typeof createRunningJobs>;

export function createRunningJobs() {
  const runs = new Map<string, Run>();

  return {
    /** Registers a run and calls `work` with it; the run is forgotten when that is done. */
    async during<T>(jobId: string, work: (run: Run) => Promise<T>): Promise<T> {
      const controller = new AbortController();
      const stop = (error: Error) => {
        stops.add(error);
        controller.abort(error);
      };
      const run: Run = {
        signal: controller.signal,
        abort: (reason) => stop(new RunAborted(reason)),
        fail: stop,
      };
      runs.set(jobId, run);
      try {
        return await work(run);
      } finally {
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
