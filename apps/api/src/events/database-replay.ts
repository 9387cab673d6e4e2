/** The events of an ended job when its log is gone: its text as one message and one `done`, from the database. */
import { encodeEvent, endEvents, type JobEvent } from "@agent-paas/shared/contract/events.ts";
import { isTerminal, type JobResult } from "@agent-paas/shared/contract/jobs.ts";
import type { JobRow } from "@agent-paas/shared/db/rows.ts";

/**
 * One batch whose last event has the `seq` that the job's `done` had (I2). A client that had seen a part (`after` > 0)
 * gets the text as a `reset`, which replaces what it shows; one that misses nothing but the end gets the end.
 */
export function replayFromRow(row: JobRow, after: number): Buffer {
  const { id: job_id, session_id, status, error_code, error_message } = row;
  if (!isTerminal(status)) throw new Error(`job ${job_id} has not ended`);
  const usage = row.usage === null ? null : JSON.parse(row.usage);
  const error = error_code === null ? null : { code: error_code, message: error_message ?? "" };
  const ending = endEvents({ job_id, session_id, status, usage, error });

  const { content } = row.result === null ? { content: "" } : (JSON.parse(row.result) as JobResult);
  const text: JobEvent = { event: "message", data: { content, type: after === 0 ? "text" : "reset" } };
  const events = content === "" ? ending : [text, ...ending];
  const lastSeq = Math.max(row.last_seq ?? 0, events.length);
  return Buffer.from(
    events
      .map((event, at) => ({ event, seq: lastSeq - events.length + 1 + at }))
      .filter(({ seq }) => seq > after)
      .map(({ event, seq }) => encodeEvent(seq, event))
      .join(""),
  );
}
