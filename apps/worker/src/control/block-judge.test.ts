import { expect, test } from "vitest";
import { ASK_FROM, BLOCKED_FROM, type BlockSample, createBlockJudge } from "./block-judge.ts";

const RUN = { jobId: "a", fencingToken: 1, agentType: "busy" };
const BEATS = 7;
const sample = (change: Partial<BlockSample> = {}): BlockSample => ({
  beats: BEATS,
  run: RUN,
  stack: "at loop (file:///agents/busy.ts:3:1)",
  ...change,
});

/** A judge that has seen no beat for so many ticks, and has the answers. */
function judgeAfter(ticks: number, answers: readonly BlockSample[] = []) {
  const judge = createBlockJudge();
  judge.tick(BEATS);
  const seen = Array.from({ length: ticks }, () => judge.tick(BEATS));
  for (const answer of answers) judge.answer(answer);
  return { judge, last: seen.at(-1) ?? null };
}

test("a thread that misses a few beats is not asked, and no block", () => {
  const { judge, last } = judgeAfter(ASK_FROM - 1);
  expect([judge.shouldAsk(), last]).toEqual([false, null]);
  expect(judge.tick(BEATS + 1)).toBeNull();
});

test("a block is the run's that every answer names, while it lasts and when it is over", () => {
  const { judge } = judgeAfter(BLOCKED_FROM - 1, [sample(), sample()]);
  expect(judge.shouldAsk()).toBe(true);
  const verdict = { kind: "run", run: RUN, stack: sample().stack };
  expect(judge.tick(BEATS)).toEqual({ ticks: BLOCKED_FROM, isOver: false, verdict });
  expect(judge.tick(BEATS + 1)).toEqual({ ticks: BLOCKED_FROM, isOver: true, verdict });
  expect(judge.tick(BEATS + 1)).toBeNull();
});

test.each<[string, BlockSample[]]>([
  ["code outside of every run", [sample({ run: null })]],
  ["several runs, one after the other", [sample(), sample({ run: { ...RUN, jobId: "b" } })]],
  ["the platform's own database", [sample({ stack: "at get (file:///x/packages/shared/src/db/sqlite/sql.ts:1:1)" })]],
])("nobody is blamed for a block by %s", (_, answers) => {
  const { judge } = judgeAfter(BLOCKED_FROM, answers);
  expect(judge.tick(BEATS)).toMatchObject({ verdict: { kind: "nobody" } });
});

test("a native call is a block by an unknown run until the answer that comes with its return", () => {
  const { judge, last } = judgeAfter(BLOCKED_FROM);
  expect(last).toMatchObject({ isOver: false, verdict: { kind: "unknown" } });
  expect(judge.tick(BEATS + 1)).toMatchObject({ isOver: true, verdict: { kind: "unknown" } });
  const late = judge.answer(sample());
  expect(late).toMatchObject({ ticks: BLOCKED_FROM, isOver: true, verdict: { kind: "run", run: RUN } });
  expect(judge.answer(sample())).toBeNull();
});

test("an answer that was given after the block says nothing about it", () => {
  const { judge } = judgeAfter(BLOCKED_FROM);
  judge.tick(BEATS + 1);
  expect(judge.answer(sample({ beats: BEATS + 1 }))).toBeNull();
  expect(judge.tick(BEATS + 2)).toBeNull();
});
