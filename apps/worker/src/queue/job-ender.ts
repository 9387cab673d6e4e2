/**
 * Ends jobs. Upholds:
 * - I1: one terminal state in the database, one `done` in the log, whoever ends the job.
 * - I3: the end is told after the database commit, and what came before it is in the log before the commit.
 * - I4: an attempt that is no longer the job's writes and tells nothing.
 */
import type { JobEvent } from "@agent-paas/shared/contract/events.ts";
import {
  isTerminal,
  type JobPayload,
  type JobResult,
  NO_USAGE,
  type TerminalStatus,
  type Usage,
} from "@agent-paas/shared/contract/jobs.ts";
import type { JobRow } from "@agent-paas/shared/db/rows.ts";
import { ERROR_CODES, type ErrorCode } from "@agent-paas/shared/errors/codes.ts";
import type { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { type JobEventWriter, WriterRefused } from "../events/job-event-writer.ts";
import type { JobRepository } from "../storage/job-repository.ts";
import type { SessionTurns } from "./session-turns.ts";

export type JobEnding = {
  /** The partial one of a job that did not complete. */
  readonly result: JobResult;
  readonly usage: Usage;
} & ({ readonly status: "completed" | "cancelled" } | { readonly status: "failed"; readonly error: PlatformError });

export const nothingDone = { result: { content: "" }, usage: NO_USAGE } as const;

export type JobEnder = ReturnType<typeof createJobEnder>;

export function createJobEnder(jobs: JobRepository, turns: SessionTurns) {
  async function tell(payload: JobPayload, events: readonly JobEvent[], writer: JobEventWriter): Promise<void> {
    // Before the end is told: who sees `done` may start the session's next job, or delete it, at once.
    await turns.release(payload);
    for (const event of events) writer.append(event);
    await writer.flushed();
  }

  return {
    /** Ends a job that the writer's attempt has started. Throws `WriterRefused` when it is no longer its own. */
    async end(payload: JobPayload, writer: JobEventWriter, ending: JobEnding): Promise<void> {
      const error = ending.status === "failed" ? { code: ending.error.code, message: ending.error.message } : null;
      const events = endEvents(payload, ending.status, ending.usage, error);
      // All that was said is in the log before the row says how it ended: a reader who finds the row and nothing more in
      // the log may conclude that the log has expired.
      await writer.flushed();
      const written = await jobs.end(payload, writer.attempt, {
        status: ending.status,
        result: ending.result,
        usage: ending.usage,
        error,
        lastSeq: writer.seq + events.length,
      });
      if (!written) throw new WriterRefused();
      await tell(payload, events, writer);
    },

    /** Tells the end of a job whose row is terminal: its worker died between the commit and the telling. */
    async tellAgain(payload: JobPayload, writer: JobEventWriter, row: JobRow): Promise<void> {
      if (!isTerminal(row.status)) throw new Error(`job ${row.id} has not ended`);
      const error = row.error_code === null ? null : { code: row.error_code, message: row.error_message ?? "" };
      await tell(
        payload,
        endEvents(payload, row.status, row.usage === null ? null : JSON.parse(row.usage), error),
        writer,
      );
    },

    /** Ends the turn of a job whose end was told. */
    release: (payload: JobPayload): Promise<void> => turns.release(payload),
  };
}

function endEvents(
  payload: JobPayload,
  status: TerminalStatus,
  usage: Usage | null,
  error: { code: string; message: string } | null,
): JobEvent[] {
  const { session_id, job_id } = payload;
  const done: JobEvent = { event: "done", data: { session_id, job_id, status, usage } };
  if (error === null) return [done];
  const retryable = ERROR_CODES[error.code as ErrorCode]?.retryable ?? false;
  return [{ event: "error", data: { code: error.code, message: error.message, retryable } }, done];
}
