/** What holds for every stream of a job, read from the start to the end (I1, I2). */
import { expect } from "vitest";
import { type SseEvent, shownText } from "./sse-client.ts";

export function expectWholeStream(events: readonly SseEvent[], answer: string, label: string): void {
  expect(
    events.map(({ id }) => id),
    `ids of ${label}`,
  ).toEqual(events.map((_, at) => at + 1));
  expectOneDone(events, label);
  expect(shownText(events), `text of ${label}`).toBe(answer);
}

/** Exactly one, and nothing behind it. */
export function expectOneDone(events: readonly SseEvent[], label: string, status = "completed"): void {
  const ends = events.filter(({ event }) => event === "done");
  expect(ends, `ends of ${label}`).toHaveLength(1);
  expect(events.at(-1), `last event of ${label}`).toMatchObject({ event: "done", data: { status } });
}
