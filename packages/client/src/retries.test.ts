import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { AgentPaasError, connectionLost } from "./errors.ts";
import { Retries, sleep } from "./retries.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const LOST = connectionLost("gone");

/** The waits before the tries that follow; the last one is what `after` threw. */
async function waitsOf(retries: Retries, error: unknown, firstWaitMs?: number): Promise<unknown[]> {
  const waits: unknown[] = [];
  const setTimer = vi.spyOn(globalThis, "setTimeout");
  for (;;) {
    const waited = retries.after(error, firstWaitMs).then(
      () => setTimer.mock.lastCall?.[1],
      (thrown: unknown) => thrown,
    );
    await vi.runAllTimersAsync();
    waits.push(await waited);
    if (typeof waits.at(-1) !== "number") return waits;
  }
}

test("each wait is twice the one before, up to ten seconds, until the tries are used up", async () => {
  vi.spyOn(Math, "random").mockReturnValue(0);
  const retries = new Retries({ tries: 8, withinMs: 1e9 }, undefined);
  expect(await waitsOf(retries, LOST)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000, LOST]);
  retries.succeeded();
  expect(await waitsOf(retries, LOST, 30_000)).toEqual([...Array(7).fill(30_000), LOST]);
});

test("clients that failed together come back apart", async () => {
  const random = vi.spyOn(Math, "random").mockReturnValue(0);
  const [sooner] = await waitsOf(new Retries({ tries: 2, withinMs: 1e9 }, undefined), LOST);
  random.mockReturnValue(0.98);
  const [later] = await waitsOf(new Retries({ tries: 2, withinMs: 1e9 }, undefined), LOST);
  expect([sooner, later]).toEqual([500, 745]);
});

test("all waits together stay within the limit", async () => {
  vi.spyOn(Math, "random").mockReturnValue(0);
  expect(await waitsOf(new Retries({ tries: 99, withinMs: 3_500 }, undefined), LOST)).toEqual([
    ...[500, 1_000, 2_000],
    LOST,
  ]);
});

test("a wait is never shorter than the platform asks", async () => {
  vi.spyOn(Math, "random").mockReturnValue(0);
  const limited = new AgentPaasError("open_streams_limit", "", { status: 429, retryAfterMs: 7_000 });
  expect(await waitsOf(new Retries({ tries: 3, withinMs: 1e9 }, undefined), limited)).toEqual([7_000, 7_000, limited]);
});

test.each([
  ["a refusal", new AgentPaasError("invalid_api_key", "", { status: 401 })],
  ["a job's failure, which a request would only repeat", new AgentPaasError("model_timeout", "")],
  ["a busy session, which the caller asked to hear of", new AgentPaasError("session_busy", "", { status: 409 })],
  ["a mistake in the program", new TypeError("a")],
])("%s is not tried again", async (_what, error) => {
  expect(await waitsOf(new Retries({ tries: 9, withinMs: 1e9 }, undefined), error)).toEqual([error]);
});

test("a wait that is aborted ends at once and leaves no timer", async () => {
  const caller = new AbortController();
  const waited = sleep(1_000, caller.signal);
  caller.abort("enough");
  await expect(waited).rejects.toBe("enough");
  await expect(sleep(1_000, caller.signal)).rejects.toBe("enough");
  expect(vi.getTimerCount()).toBe(0);
});
