/**
 * Ends jobs. Upholds:
 * - I1: one terminal state in the database, one `done` in the log, whoever ends the job.
 * - I3: the end is told after the database commit, and what came before it is in the log before the commit.
 * - I4: an attempt that is no longer the job's writes and tells nothing.
 */
import { endEvents, type JobEvent } from "@agent-paas/shared/contract/events.ts";
import { type JobPayload, type JobResult, NO_USAGE, type Usage } from "@agent-paas/shared/contract/jobs.ts";
import { endEventsOf, resultOfRow } from "@agent-paas/shared/db/job-end.ts";
import type { JobRow } from "@agent-paas/shared/db/rows.ts";
import type { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { failpoint } from "@agent-paas/shared/lifecycle/failpoints.ts";
import { type JobEventWriter, WriterRefused } from "../events/job-event-writer.ts";
import type { Uploads } from "../knowledge/uploads.ts";
import type { JobRepository } from "../storage/job-repository.ts";
import type { SessionQueue } from "./session-queue.ts";

export type JobEnding = {
  /** How long the run took that ended it, ms. */
  readonly executionMs: number;
  /** The partial one of a job that did not complete. */
  readonly result: JobResult;
  /** Of the result's text. */
  readonly resultTokens: number;
  readonly usage: Usage;
} & ({ readonly status: "completed" | "cancelled" } | { readonly status: "failed"; readonly error: PlatformError });

export const NO_RESULT = { executionMs: 0, result: { content: "" }, resultTokens: 0, usage: NO_USAGE } as const;

export type JobFinalizer = ReturnType<typeof createJobFinalizer>;

export function createJobFinalizer(jobs: JobRepository, turns: SessionQueue, uploads: Uploads) {
  async function tell(payload: JobPayload, events: readonly JobEvent[], writer: JobEventWriter): Promise<void> {
    // Sent before the end is, on the same connection: who sees `done` may start the session's next job, or delete it, at once.
    const released = Promise.all([turns.leave(payload), uploads.drop(payload)]);
    for (const event of events) writer.append(event);
    await writer.flushed();
    const [next] = await released;
    failpoint("end_published", payload.job_id);
    await turns.promote(next);
  }

  return {
    /** Ends a job that the writer's attempt has started. Throws `WriterRefused` when it is no longer its own. */
    async finalize(payload: JobPayload, writer: JobEventWriter, ending: JobEnding): Promise<void> {
      const { status, result, resultTokens, usage, executionMs } = ending;
      const error = status === "failed" ? { code: ending.error.code, message: ending.error.message } : null;
      const { job_id, session_id } = payload;
      const { citations = null } = result;
      const events = endEvents({ job_id, session_id, status, usage, error, citations });
      // All that was said is in the log before the row says how it ended: a reader who finds the row and nothing more in
      // the log may conclude that the log has expired.
      await writer.flushed();
      const lastSeq = writer.seq + events.length;
      const written = await jobs.end(payload, writer.fencingToken, {
        ...{ status, result, resultTokens, usage, error, lastSeq, executionMs },
      });
      if (!written) throw new WriterRefused();
      await tell(payload, events, writer);
    },

    /**
     * Tells the end of a job whose row is terminal: its worker died between the commit and the telling, or Redis has lost
     * its last second since. Then more than the end may be missing: clients get the whole text too, numbered as at first (I2).
     */
    async republishEnd(payload: JobPayload, writer: JobEventWriter, row: JobRow): Promise<void> {
      const end = endEventsOf(row);
      const isMoreMissing = row.last_seq !== null && writer.seq < row.last_seq - end.length;
      const { content } = resultOfRow(row);
      const events = isMoreMissing ? [{ event: "message", data: { content, type: "reset" } } as const, ...end] : end;
      if (row.last_seq !== null) writer.skipTo(row.last_seq - events.length);
      await tell(payload, events, writer);
    },

    /** Ends the turn of a job whose end was told. */
    async release(payload: JobPayload): Promise<void> {
      await turns.promote(await turns.leave(payload));
    },
  };
}
