/** The checker measures times, and fails a run whose times exceed their bounds. */
import { expect, test } from "vitest";
import { checkRun, frame, goodRun, type Run, verdictOf } from "./forged-run.ts";

const withRetry = (at: number) => {
  const run = goodRun();
  const retry = frame(3, "thought", { type: "retry", attempt: 2 });
  const { chunks } = run.transcript.connections[0] as Run["transcript"]["connections"][0];
  chunks.splice(0, 1, [100, run.stream.slice(0, 2).join("")], [at, [retry, ...run.stream.slice(3)].join("")]);
  run.log = run.stream.with(2, retry);
  return run;
};
const bounds = { "job recovery": { share: 0.95, withinMs: 25_000 } };

test("a retry within the bound passes, a later retry fails", () => {
  expect(verdictOf(withRetry(20_100), bounds).passed).toBe(true);
  expect(verdictOf(withRetry(25_200), bounds).passed).toBe(false);
});

test("a bound without any measured time fails", () => {
  expect(verdictOf(goodRun(), bounds).passed).toBe(false);
});

test("the time from a cancel to the closing of the model's stream is recorded", () => {
  const run = goodRun();
  run.transcript.cancelledAt = 100.5;
  expect(checkRun(run).timings.get("upstream closed")).toEqual([0.5]);
});
