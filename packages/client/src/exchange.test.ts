import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { AgentPaasError } from "./errors.ts";
import { Exchange } from "./exchange.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const SILENCE_MS = 40_000;
const HOUR = 3_600_000;

/** A read that only an abort ends, as `fetch` has it. */
function readOf({ signal }: Exchange): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason));
  });
}

const settled = (work: Promise<unknown>): Promise<unknown> => work.catch((error: unknown) => error);
const code = (error: unknown) => (error instanceof AgentPaasError ? error.code : error);

test("an exchange without a word for the whole time is lost", async () => {
  const exchange = new Exchange(undefined, SILENCE_MS);
  const read = settled(exchange.within(readOf(exchange)));
  await vi.advanceTimersByTimeAsync(SILENCE_MS - 1);
  expect(exchange.signal.aborted).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(code(await read)).toBe("connection_lost");
  expect(vi.getTimerCount()).toBe(0);
});

test("whatever comes begins the silence anew", async () => {
  const exchange = new Exchange(undefined, SILENCE_MS);
  const read = settled(exchange.within(readOf(exchange)));
  await vi.advanceTimersByTimeAsync(SILENCE_MS - 1);
  exchange.touch();
  await vi.advanceTimersByTimeAsync(SILENCE_MS - 1);
  expect(exchange.signal.aborted).toBe(false);
  expect(await exchange.within(Promise.resolve("read"))).toBe("read");
  exchange.close();
  expect(code(await read)).toBe("connection_lost");
});

test("a computer that has slept notices the dead connection soon after it wakes", async () => {
  const exchange = new Exchange(undefined, SILENCE_MS);
  const read = settled(exchange.within(readOf(exchange)));
  // Asleep, timers stand still and the clock goes on.
  vi.setSystemTime(Date.now() + 8 * HOUR);
  await vi.advanceTimersByTimeAsync(SILENCE_MS / 4);
  expect(code(await read)).toBe("connection_lost");
});

test("a caller who aborts gets the own reason, and a closed exchange no longer listens to the caller", async () => {
  const caller = new AbortController();
  const heard = vi.spyOn(caller.signal, "removeEventListener");
  const exchange = new Exchange(caller.signal, SILENCE_MS);
  const read = settled(exchange.within(readOf(exchange)));
  caller.abort("enough");
  expect(await read).toBe("enough");
  exchange.close();
  expect(heard).toHaveBeenCalledTimes(1);
  expect(vi.getTimerCount()).toBe(0);
});
