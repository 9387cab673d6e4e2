/** What a run that did not come to its end means for its job. Outcomes are data; the processor acts on them. */
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { WriterRefused } from "../events/job-event-writer.ts";
import { RunAborted } from "./running-jobs.ts";

export type Failure =
  | { readonly kind: "cancelled" }
  /** Not ours any more: stop, say nothing. */
  | { readonly kind: "superseded" }
  /** Give it back to the queue, without using up a try. */
  | { readonly kind: "requeued" }
  /** A passing fault: try again later. */
  | { readonly kind: "retry"; readonly error: PlatformError }
  | { readonly kind: "failed"; readonly error: PlatformError };

/** `triesLeft`: whether the queue would start the job again. */
export function classifyOutcome(error: unknown, signal: AbortSignal, triesLeft: boolean): Failure {
  // What an aborted run throws is often a consequence; the abort's own reason is what counts.
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
  return known.retryable && triesLeft ? { kind: "retry", error: known } : { kind: "failed", error: known };
}
