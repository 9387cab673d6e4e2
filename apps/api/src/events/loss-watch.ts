/**
 * Jobs that are lost (I1): no queue has them, because Redis lost its data before they began, and the database has no
 * row. No process can finalize a job that it does not know, so whoever waits for one must notice it.
 */
import { type JobEvent, terminalEvents } from "@agent-paas/shared/contract/events.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { SECOND } from "@agent-paas/shared/time.ts";

/** A job that has been known nowhere for so long is lost; longer than any move from a queue to the database takes. */
const LOST_AFTER_MS = 10 * SECOND;

/** @param isKnown whether a queue has the job or the database has a row of it. */
export function createLossWatch(isKnown: () => Promise<boolean>) {
  let unknownSince: number | null = null;
  return {
    /** Looks once; false also when the look fails, because Redis or the database is away. */
    async isLost(): Promise<boolean> {
      if (await isKnown().catch(() => true)) {
        unknownSince = null;
        return false;
      }
      const now = performance.now();
      unknownSince ??= now;
      return now - unknownSince >= LOST_AFTER_MS;
    },
  };
}

/** The end of a lost job's stream. */
export function lossEvents(jobId: string, sessionId: string | null): JobEvent[] {
  const { code, message } = new PlatformError("job_lost");
  const ids = { job_id: jobId, session_id: sessionId };
  return terminalEvents({
    ...ids,
    status: "failed",
    usage: null,
    finish_reason: null,
    error: { code, message },
    citations: null,
    tool_calls: null,
  });
}
