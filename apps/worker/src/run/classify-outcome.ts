/** How a run ended, as data. `job/settle.ts` decides what follows from it. */
import type { OpenInquiry } from "@agent-paas/shared/contract/inquiries.ts";
import { StorageOutage } from "@agent-paas/shared/db/storage-outage.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { WriterRefused } from "../events/job-event-writer.ts";
import { RunAborted } from "./run-control.ts";

export type RunOutcome =
  | { readonly kind: "completed" }
  /** People must decide before the job goes on (I11). */
  | { readonly kind: "suspended"; readonly inquiries: readonly OpenInquiry[] }
  | { readonly kind: "cancelled" }
  | { readonly kind: "failed"; readonly error: PlatformError }
  /** A passing error: start the job again later, which uses up a retry. */
  | { readonly kind: "retry"; readonly error: PlatformError }
  /** This process stops: give the job back to its queue, which uses up no retry. */
  | { readonly kind: "requeued" }
  /** A higher fencing token owns the job: write nothing. */
  | { readonly kind: "superseded" };

/**
 * @param retriesLeft whether BullMQ would start the job again after a failure.
 * @param inquiries what the run has asked and nobody has decided: whatever else it met, it will meet again afterwards.
 */
export function classifyOutcome(
  error: unknown,
  signal: AbortSignal,
  retriesLeft: boolean,
  inquiries: readonly OpenInquiry[] = [],
): RunOutcome {
  // After an abort, `error` is only a consequence of the abort; the reason of the abort decides.
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
  if (inquiries.length > 0) return { kind: "suspended", inquiries };
  // Reads and writes have waited for the database already, for as long as the settings say.
  if (cause instanceof StorageOutage) return { kind: "failed", error: cause };
  const known = cause instanceof PlatformError ? cause : new PlatformError("agent_failed", { cause });
  return known.retryable && retriesLeft ? { kind: "retry", error: known } : { kind: "failed", error: known };
}
