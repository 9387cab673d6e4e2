import { expect, test } from "vitest";
import { createPace, LEAST_GATHER_MS, MOST_GATHER_MS } from "./pace.ts";

/** A pace by a clock of its own, and what it says before each call of a worker that sends one batch every `everyMs`. */
function paceOf(everyMs: number, calls: number) {
  let now = 0;
  const pace = createPace(() => now);
  const waits: number[] = [];
  for (let call = 0; call < calls; call++) {
    waits.push(pace.wait());
    pace.sends(1);
    now += everyMs;
  }
  return { pace, waits, pass: (ms: number) => (now += ms) };
}

test("a worker with a hundred tokens per second sends each at once", () => {
  expect(new Set(paceOf(10, 100).waits)).toEqual(new Set([0]));
});

test("a busy worker gathers from its second tenth of a second on", () => {
  const { waits, pace } = paceOf(0.5, 400);
  expect(waits.slice(0, 200).every((wait) => wait === 0)).toBe(true);
  expect(waits.at(-1)).toBeGreaterThan(0);
  expect(pace.wait()).toBeLessThanOrEqual(MOST_GATHER_MS);
});

test.each([
  { everyMs: 0.8, longest: MOST_GATHER_MS },
  { everyMs: 0.3, longest: 12 },
  { everyMs: 0.05, longest: LEAST_GATHER_MS },
])("with a token every $everyMs ms a worker gathers for $longest ms", ({ everyMs, longest }) => {
  const { pace, pass } = paceOf(everyMs, 400 / everyMs);
  pass(-everyMs);
  expect(pace.wait()).toBeCloseTo(longest, 0);
});

test("a worker that was busy sends the first token after a pause at once, and the next ones too", () => {
  const { pace, pass } = paceOf(0.5, 400);
  pass(1_000);
  expect(pace.wait()).toBe(0);
  pace.sends(1);
  expect(pace.wait()).toBe(0);
});
