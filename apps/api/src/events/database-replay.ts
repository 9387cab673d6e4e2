/** The events of an ended job whose log is gone, built from its row: its text as one message, then its end. */
import { encodeEvent, type JobEvent } from "@agent-paas/shared/contract/events.ts";
import { endEventsOf, resultOfRow } from "@agent-paas/shared/db/job-end.ts";
import type { JobRow } from "@agent-paas/shared/db/rows.ts";

/**
 * One batch whose last event has the `seq` that the job's `done` had (I2). A client that has seen a part (`after` > 0)
 * gets the text as a `reset`, which replaces the text it shows. A client that lacks only the terminal events gets only
 * these.
 */
export function replayFromRow(row: JobRow, after: number): Buffer {
  const ending = endEventsOf(row);
  const { content } = resultOfRow(row);
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
