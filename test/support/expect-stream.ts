/** What holds for every stream of a job, read from the start to the end (I1, I2). */
import { expect } from "vitest";
import { type SseEvent, shownText } from "./sse-client.ts";

export function expectWholeStream(events: readonly SseEvent[], answer: string, label: string): void {
  expectNumbered(events, label);
  expectOneDone(events, label);
  expect(shownText(events), `text of ${label}`).toBe(answer);
}

/** As many numbers as a run can use are left out behind it. */
const RUN_LENGTH = 100_000;

/** From 1, each number behind the former; the first of a run behind another is beyond all that one can have said. */
export function expectNumbered(events: readonly SseEvent[], label: string): void {
  const expected: number[] = [];
  for (const { data } of events) {
    const skipped = data.type === "retry" ? RUN_LENGTH : 0;
    expected.push((expected.at(-1) ?? 0) + skipped + 1);
  }
  expect(
    events.map(({ id }) => id),
    `ids of ${label}`,
  ).toEqual(expected);
}

/** For streams over a loss of Redis' data, which may leave numbers out. */
export function expectRisingIds(events: readonly SseEvent[]): void {
  const ids = events.map(({ id }) => id);
  expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
}

/** Exactly one, and nothing behind it. */
export function expectOneDone(events: readonly SseEvent[], label: string, status = "completed"): void {
  const ends = events.filter(({ event }) => event === "done");
  expect(ends, `ends of ${label}`).toHaveLength(1);
  expect(events.at(-1), `last event of ${label}`).toMatchObject({ event: "done", data: { status } });
}
