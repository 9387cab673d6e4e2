import { SECOND } from "@agent-paas/shared/time.ts";
import { expect, test } from "vitest";
import { createSilenceJudge } from "./silence-judge.ts";

/** Looks once a second from `from` to `to`; `beatsAt` says what was read. Returns when somebody was dead, and who. */
function watch(
  judge: ReturnType<typeof createSilenceJudge>,
  [from, to]: readonly [number, number],
  beatsAt: (second: number) => Record<string, number>,
): [number, string[]][] {
  const found: [number, string[]][] = [];
  for (let second = from; second <= to; second++) {
    const beats = new Map(Object.entries(beatsAt(second)).map(([id, beat]) => [id, String(beat)]));
    const dead = judge.look(beats, second * SECOND, second * SECOND + 5);
    if (dead.length > 0) found.push([second, dead]);
  }
  return found;
}

test("a worker is dead three seconds after the last look that found it heard again", () => {
  const judge = createSilenceJudge();
  const beatsAt = (second: number) => ({ own: second, other: second, silent: Math.min(second, 4) });
  expect(watch(judge, [1, 7], beatsAt)).toEqual([[7, ["silent"]]]);
});

test("a worker that nobody has heard since before the first look is dead three seconds later", () => {
  expect(watch(createSilenceJudge(), [1, 4], (second) => ({ own: second, silent: 77 }))).toEqual([[4, ["silent"]]]);
});

test("a worker that has given its locks up is dead at once", () => {
  expect(createSilenceJudge().look(new Map([["gone", "0"]]), 0, 5)).toEqual(["gone"]);
});

test("a clock of Redis that is set makes nobody dead", () => {
  const hour = 3_600;
  const beatsAt = (second: number) => {
    const time = second < 5 ? second : second + (second < 10 ? hour : -hour);
    return { own: time, other: time };
  };
  expect(watch(createSilenceJudge(), [1, 20], beatsAt)).toEqual([]);
});

test("after an interruption silence counts only once the others have had time to come back", () => {
  const judge = createSilenceJudge();
  const before = { own: 3, other: 3, silent: 3 };
  expect(watch(judge, [1, 3], (second) => ({ own: second, other: second, silent: second }))).toEqual([]);
  // Redis was away; the first looks after it find what was heard before.
  expect(watch(judge, [20, 23], (second) => ({ ...before, own: second }))).toEqual([]);
  expect(watch(judge, [24, 26], (second) => ({ ...before, own: second, other: second }))).toEqual([[26, ["silent"]]]);
});

test("an answer that took long is an interruption", () => {
  const judge = createSilenceJudge();
  expect(watch(judge, [1, 3], (second) => ({ own: second, other: 1 }))).toEqual([]);
  expect(judge.look(new Map([["other", "1"]]), 4 * SECOND, 10 * SECOND)).toEqual([]);
  expect(watch(judge, [11, 12], (second) => ({ own: second, other: 1 }))).toEqual([]);
});
