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
  /** Aborts the run. If it is called more than once, the first reason counts. */
  abort(reason: AbortReason): void;
  /** Aborts the run with an error that fails its job. */
  fail(error: PlatformError): void;
};

const abortErrors = new WeakSet<object>();

export function createRunControl(): RunControl {
  const controller = new AbortController();
  const stop = (error: Error) => {
    abortErrors.add(error);
    controller.abort(error);
  };
  return { signal: controller.signal, abort: (reason) => stop(new RunAborted(reason)), fail: stop };
}

/** Whether this error object aborted a run. Promises that the run left behind may reject with it later. */
export const hasAbortedRun = (error: unknown): boolean => error instanceof Error && abortErrors.has(error);
