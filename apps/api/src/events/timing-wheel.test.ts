import { expect, onTestFinished, test, vi } from "vitest";
import { createTimingWheel } from "./timing-wheel.ts";

test("each subscriber is called once per interval, whenever it subscribed, until it unsubscribes", () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const wheel = createTimingWheel(16_000);
  onTestFinished(() => wheel.stop());
  const calls = { early: 0, late: 0 };
  const unsubscribeEarly = wheel.subscribe(() => calls.early++);
  vi.advanceTimersByTime(5_500);
  wheel.subscribe(() => calls.late++);
  expect(vi.getTimerCount()).toBe(1);
  vi.advanceTimersByTime(16_000 * 3);
  expect(calls).toEqual({ early: 3, late: 3 });
  unsubscribeEarly();
  vi.advanceTimersByTime(16_000);
  expect(calls).toEqual({ early: 3, late: 4 });
});
