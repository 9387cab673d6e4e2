import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { expect, onTestFinished, test, vi } from "vitest";
import { startWatchdog } from "./watchdog.ts";

const LIMITS = { connectMs: 100, firstTokenMs: 1_000, idleMs: 300, totalMs: 5_000 };

function start(signal = new AbortController().signal) {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const watchdog = startWatchdog(LIMITS, signal);
  onTestFinished(() => watchdog.release());
  return watchdog;
}

test("the first token has its own limit, later tokens have the idle limit", () => {
  const watchdog = start();
  vi.advanceTimersByTime(999);
  expect(watchdog.signal.aborted).toBe(false);
  watchdog.touch();
  for (let at = 0; at < 10; at++) {
    vi.advanceTimersByTime(299);
    watchdog.touch();
  }
  expect(watchdog.signal.aborted).toBe(false);
  vi.advanceTimersByTime(300);
  expect(watchdog.signal.reason).toBeInstanceOf(PlatformError);
  expect(watchdog.signal.reason).toMatchObject({ code: "model_timeout", message: expect.stringContaining("0.3 s") });
});

test("a model that sends no token is aborted at the first-token limit", () => {
  const watchdog = start();
  vi.advanceTimersByTime(1_000);
  expect(watchdog.signal.reason).toMatchObject({ code: "model_timeout", message: expect.stringContaining("1 s") });
});

test("an endless stream of tokens is aborted at the total limit", () => {
  const watchdog = start();
  for (let ms = 0; ms < 5_000; ms += 100) {
    watchdog.touch();
    vi.advanceTimersByTime(100);
  }
  expect(watchdog.signal.reason).toMatchObject({ code: "model_timeout", message: expect.stringContaining("5 s") });
});

test("an abort of the caller is passed on with its reason, even one before the start", () => {
  const reason = new Error("cancelled");
  const controller = new AbortController();
  const watchdog = start(controller.signal);
  controller.abort(reason);
  expect(watchdog.signal.reason).toBe(reason);
  expect(start(AbortSignal.abort(reason)).signal.reason).toBe(reason);
});

test("a released watchdog leaves no timer behind", () => {
  const watchdog = start();
  watchdog.touch();
  watchdog.release();
  expect(vi.getTimerCount()).toBe(0);
});
