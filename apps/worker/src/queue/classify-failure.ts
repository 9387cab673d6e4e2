/** What a run that did not come to its end means for its job. Outcomes are data; the processor acts on them. */
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { RunAborted } from "../control/running-jobs.ts";
import { WriterRefused } from "../events/job-event-writer.ts";

export type Failure =
  | { readonly kind: "cancelled" }
  /** Not ours any more: stop, say nothing. */
  | { readonly kind: "disowned" }
  /** Give it back to the queue, without using up a try. */
  | { readonly kind: "handed_back" }
  /** A passing fault: try again later. */
  | { readonly kind: "retry"; readonly error: PlatformError }
  | { readonly kind: "failed"; readonly error: PlatformError };

/** `triesLeft`: whether the queue would start the job again. */
export function classifyFailure(error: unknown, signal: AbortSignal, triesLeft: boolean): Failure {
  // What an aborted run throws is often a consequence; the abort's own reason is what counts.
  const cause = signal.aborted ? signal.reason : error;
  if (cause instanceof WriterRefused) return { kind: "disowned" };
  if (cause instanceof RunAborted) {
    switch (cause.reason) {
      case "cancelled":
        return { kind: "cancelled" };
      case "disowned":
        return { kind: "disowned" };
      case "shutdown":
        return { kind: "handed_back" };
      case "deadline":
        return { kind: "failed", error: new PlatformError("deadline_exceeded") };
    }
  }
  const known = cause instanceof PlatformError ? cause : new PlatformError("agent_failed", { cause });
  return known.retryable && triesLeft ? { kind: "retry", error: known } : { kind: "failed", error: known };
}
