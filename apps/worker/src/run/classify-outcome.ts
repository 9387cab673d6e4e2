/** How a run ended, as data: the job's life goes on from here (`job/settle.ts`). */
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { WriterRefused } from "../events/job-event-writer.ts";
import { RunAborted } from "./run-control.ts";

export type RunOutcome =
  | { readonly kind: "completed" }
  | { readonly kind: "cancelled" }
  | { readonly kind: "failed"; readonly error: PlatformError }
  /** A passing error: start again later, as one of the job's retries. */
  | { readonly kind: "retry"; readonly error: PlatformError }
  /** This process stops: back to the queue, without using up a retry. */
  | { readonly kind: "requeued" }
  /** A higher fencing token owns the job: write nothing. */
  | { readonly kind: "superseded" };

/** @param retriesLeft whether the queue would start the job again. */
export function classifyOutcome(error: unknown, signal: AbortSignal, retriesLeft: boolean): RunOutcome {
  // An aborted run throws consequences of the abort; the abort's own reason counts.
  const cause = signal.aborted ? signal.reason : error;
  if (cause instanceof WriterRefused) return { kind: "superseded" };
  if (cause instanceof RunAborted) {
    switch (cause.reason) {
      case "cancelled":
        return { kind: "cancelled" };
      case "superseded":
        return { kind: "superseded" };
      case "shutdown":
        return { kind: "requeued" };
      case "deadline":
        return { kind: "failed", error: new PlatformError("deadline_exceeded") };
    }
  }
  const known = cause instanceof PlatformError ? cause : new PlatformError("agent_failed", { cause });
  return known.retryable && retriesLeft ? { kind: "retry", error: known } : { kind: "failed", error: known };
}
