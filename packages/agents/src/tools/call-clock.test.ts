import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createCallClock } from "./call-clock.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("a call without progress has its time limit, whatever its longest time is", () => {
  const clock = createCallClock({ timeoutMs: 30, longestMs: 300 });
  vi.advanceTimersByTime(29);
  expect(clock.signal.aborted).toBe(false);
  vi.advanceTimersByTime(1);
  expect(clock.signal.reason).toMatchObject({ name: "TimeoutError" });
  expect(clock.waitedMs()).toBe(30);
});

test("progress lets the time limit begin anew, up to the longest time", () => {
  const clock = createCallClock({ timeoutMs: 30, longestMs: 100 });
  for (let reports = 0; reports < 4; reports++) {
    vi.advanceTimersByTime(20);
    clock.stillWorking();
  }
  vi.advanceTimersByTime(19);
  expect(clock.signal.aborted).toBe(false);
  vi.advanceTimersByTime(1);
  expect(clock.signal.aborted).toBe(true);
  expect(clock.waitedMs()).toBe(100);
});

test("a tool without a longest time is not extended, and a stopped clock never aborts", () => {
  const plain = createCallClock({ timeoutMs: 30 });
  vi.advanceTimersByTime(20);
  plain.stillWorking();
  vi.advanceTimersByTime(10);
  expect(plain.signal.aborted).toBe(true);
  const stopped = createCallClock({ timeoutMs: 30, longestMs: 100 });
  stopped.stop();
  stopped.stillWorking();
  vi.advanceTimersByTime(1_000);
  expect(stopped.signal.aborted).toBe(false);
});
