/**
 * Finalizes jobs. Upholds:
 * - I1: one terminal state in the database, one `done` in the log, whoever finalizes the job.
 * - I3: the terminal event is published after the database commit, and everything before it is in the log by then.
 * - I4: a superseded fencing token writes and publishes nothing.
 */
import { type JobEvent, terminalEvents } from "@agent-paas/shared/contract/events.ts";
import { isTerminal, type JobPayload, type TerminalStatus } from "@agent-paas/shared/contract/jobs.ts";
import { endEventsOf, resultOfRow } from "@agent-paas/shared/db/job-end.ts";
import type { JobRow } from "@agent-paas/shared/db/rows.ts";
import type { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { failpoint } from "@agent-paas/shared/lifecycle/failpoints.ts";
import { emit } from "@agent-paas/shared/telemetry/telemetry.ts";
import { type JobEventWriter, WriterRefused } from "../events/job-event-writer.ts";
import type { RunResult } from "../run/run-result.ts";
import type { JobRepository } from "../storage/job-repository.ts";
import type { EndedJob, Places } from "./places.ts";
import type { RecentEnds } from "./recent-ends.ts";
import type { SessionQueue } from "./session-queue.ts";
import type { WrittenRow } from "./written-row.ts";

export type JobEnding = RunResult & {
  /** JSON of a `Timeline`; null: not known. */
  readonly timeline?: string | null;
} & ({ readonly status: "completed" | "cancelled" } | { readonly status: "failed"; readonly error: PlatformError });

export type JobFinalizer = ReturnType<typeof createJobFinalizer>;

export type JobFinalizerDeps = {
  readonly jobs: JobRepository;
  readonly sessionQueue: SessionQueue;
  readonly places: Places;
  readonly recentEnds: Pick<RecentEnds, "note">;
};

export function createJobFinalizer({ jobs, sessionQueue, places, recentEnds }: JobFinalizerDeps) {
  async function publishEnd(payload: JobPayload, events: readonly JobEvent[], writer: JobEventWriter): Promise<void> {
    // Issued before the terminal events on the same connection: a client that sees `done` may post or delete at once.
    // The place is given up before the slot is free, so that BullMQ finds the next job when it frees the slot.
    const left = places.leave(payload);
    for (const event of events) writer.append(event);
    await writer.flushed();
    recentEnds.note(payload);
    const next = await left;
    failpoint("end_published", payload.job_id);
    await sessionQueue.promote(payload.owner, next);
  }

  /**
   * Publishes the end of a job whose row is terminal: its worker died between commit and publication, or Redis has
   * lost its last second since. Then events before the end may be missing too, so clients get the whole text as well,
   * with the numbers that the row gave (I2), unless the log has gone on since: then the row gets later ones.
   * @param lastSeq the last `seq` of the log, whatever the claim raised it to.
   */
  async function restoreEnd(payload: JobPayload, writer: JobEventWriter, row: JobRow, lastSeq: number): Promise<void> {
    const end = endEventsOf(row);
    const lacksEvents = row.last_seq !== null && lastSeq < row.last_seq - end.length;
    const { content } = resultOfRow(row);
    const events = lacksEvents ? [{ event: "message", data: { content, type: "reset" } } as const, ...end] : end;
    if (row.last_seq !== null) {
      if (writer.seq > lastSeq) writer.goBackTo(lastSeq);
      writer.skipTo(row.last_seq - events.length);
      const newLastSeq = writer.seq + events.length;
      if (newLastSeq > row.last_seq) await jobs.raiseLastSeq(payload.job_id, newLastSeq);
    }
    await publishEnd(payload, events, writer);
  }

  return {
    /**
     * Finalizes a job that the writer's fencing token has started. Throws `WriterRefused` when it is superseded. `row`
     * is for a start that may not be written yet: the end joins its transaction.
     */
    async finalize(payload: JobPayload, writer: JobEventWriter, ending: JobEnding, row?: WrittenRow): Promise<void> {
      const { status, resultTokens, usage, calls = [], wholeTurns = [], executionMs } = ending;
      // A job that ends otherwise waits for nobody.
      const openTurn = status === "completed" ? (ending.openTurn ?? null) : null;
      const result = openTurn === null ? ending.result : { ...ending.result, tool_calls: openTurn.calls };
      const error = status === "failed" ? { code: ending.error.code, message: ending.error.message } : null;
      const { job_id, session_id } = payload;
      const { citations = null, finish_reason = null, tool_calls = null, data } = result;
      const told = { status, usage, finish_reason, error, citations, tool_calls, data };
      const events = terminalEvents({ job_id, session_id, ...told });
      // Every event is in the log before the row turns terminal: a reader who finds the row and nothing more in the log
      // may conclude that the log has expired.
      await writer.flushed();
      const lastSeq = writer.seq + events.length;
      const { timeline = null } = ending;
      const whole = { calls, openTurn, wholeTurns, timeline };
      const end = { status, result, resultTokens, usage, ...whole, error, lastSeq, executionMs };
      const write = () => jobs.end(payload, writer.fencingToken, end);
      // A start that the database took alone was behind its end.
      const isWritten = (await write()) || (row !== undefined && (await row) && (await write()));
      if (!isWritten) throw new WriterRefused();
      await publishEnd(payload, events, writer);
      reportEnd(payload, status, error?.code ?? null, executionMs);
    },

    /** Publishes the end of a job whose row is terminal, and which was not published or reported as ended before. */
    async republishEnd(payload: JobPayload, writer: JobEventWriter, row: JobRow, lastSeq: number): Promise<void> {
      await restoreEnd(payload, writer, row, lastSeq);
      const { status, error_code, execution_time_ms } = row;
      if (isTerminal(status)) reportEnd(payload, status, error_code, execution_time_ms ?? 0);
    },

    restoreEnd,

    /** Removes the session queue entry and the place of a job whose end is published. */
    async leaveQueues(payload: EndedJob): Promise<void> {
      await sessionQueue.promote(payload.owner, await places.leave(payload));
    },
  };
}

function reportEnd(payload: JobPayload, status: TerminalStatus, errorCode: string | null, ms: number): void {
  const { job_id, kind, agent_type, owner, traceparent } = payload;
  emit("job.ended", { job_id, kind, agent_type, owner, traceparent, status, error_code: errorCode, ms });
}
