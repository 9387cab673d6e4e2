/** How a run is aborted, and the reasons for which it may be. */
import type { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";

export type AbortReason =
  /** A client called cancel: finalize the job as cancelled (I7). */
  | "cancelled"
  /** A higher fencing token owns the job, or its lock is lost: stop and write nothing (I4). */
  | "superseded"
  /** This process stops: requeue the job. */
  | "shutdown"
  /** The attempt has reached its time limit: fail the job. */
  | "deadline";

export class RunAborted extends Error {
  override readonly name = "RunAborted";
  readonly reason: AbortReason;

  constructor(reason: AbortReason) {
    super(`the run was aborted: ${reason}`);
    this.reason = reason;
  }
}

export type RunControl = {
  readonly signal: AbortSignal;
  /** Aborts when this process stops, also after `signal` has aborted for another reason. */
  readonly stopped: AbortSignal;
  /** Aborts the run. If it is called more than once, the first reason counts. */
  abort(reason: AbortReason): void;
  /** Aborts the run with an error that fails its job. */
  fail(error: PlatformError): void;
  /** Whether the run has come to its end, which is about to be written. */
  isOver: boolean;
};

const abortErrors = new WeakSet<object>();

export function createRunControl(): RunControl {
  const [controller, stopped] = [new AbortController(), new AbortController()];
  const stop = (error: Error) => {
    abortErrors.add(error);
    controller.abort(error);
  };
  return {
    signal: controller.signal,
    stopped: stopped.signal,
    abort(reason) {
      const error = new RunAborted(reason);
      stop(error);
      if (reason === "shutdown") stopped.abort(new ProcessStopped());
    },
    fail: stop,
    isOver: false,
  };
}

/** This process stops while the start or the end of a run waits for the database. */
export class ProcessStopped extends Error {
  override readonly name = "ProcessStopped";
}

/**
 * The promise's value. Rejects with a `ProcessStopped` when this process stops first; what was begun goes on, so it
 * must be fenced (I4).
 */
export async function unlessStopped<T>({ stopped }: RunControl, work: Promise<T>): Promise<T> {
  let onStop = () => {};
  const stop = new Promise<never>((_, reject) => {
    onStop = () => reject(stopped.reason);
    if (stopped.aborted) onStop();
    stopped.addEventListener("abort", onStop, { once: true });
  });
  // Whichever loses the race may reject later.
  stop.catch(() => {});
  work.catch(() => {});
  try {
    return await Promise.race([work, stop]);
  } finally {
    stopped.removeEventListener("abort", onStop);
  }
}

/** Whether this error object aborted a run. Promises that the run left behind may reject with it later. */
export const hasAbortedRun = (error: unknown): boolean => error instanceof Error && abortErrors.has(error);
