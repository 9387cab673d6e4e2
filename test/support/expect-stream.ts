/** What holds for every stream of a job, read from the start to the end (I1, I2). */
import { expect } from "vitest";
import { SEQ_SKIP_PER_ATTEMPT } from "../../apps/worker/src/events/log-order.ts";
import { type SseEvent, shownText } from "./sse-client.ts";

export function expectWholeStream(events: readonly SseEvent[], answer: string, label: string): void {
  expectNumbered(events, label);
  expectOneDone(events, label);
  expect(shownText(events), `text of ${label}`).toBe(answer);
}

/** Ids are 1, 2, 3…; only a further attempt skips the numbers that the attempt before it may have used. */
export function expectNumbered(events: readonly SseEvent[], label: string): void {
  const expected: number[] = [];
  for (const { data } of events) {
    const skipped = data.type === "retry" ? SEQ_SKIP_PER_ATTEMPT : 0;
    expected.push((expected.at(-1) ?? 0) + skipped + 1);
  }
  expect(
    events.map(({ id }) => id),
    `ids of ${label}`,
  ).toEqual(expected);
}

/** Ids rise strictly and may leave numbers out, as they do when Redis has lost data during the stream. */
export function expectRisingIds(events: readonly SseEvent[]): void {
  const ids = events.map(({ id }) => id);
  expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
}

/** One `done` with this status, as the last event. */
export function expectOneDone(events: readonly SseEvent[], label: string, status = "completed"): void {
  const ends = events.filter(({ event }) => event === "done");
  expect(ends, `ends of ${label}`).toHaveLength(1);
  expect(events.at(-1), `last event of ${label}`).toMatchObject({ event: "done", data: { status } });
}
