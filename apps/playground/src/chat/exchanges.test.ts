import type { Job, Message } from "@agent-paas/client";
import { describe, expect, test } from "vitest";
import { exchangesOf } from "./exchanges.ts";
import type { Turn } from "./turn.ts";

const message = (job_id: string, role: "user" | "assistant", content: string): Message => ({
  ...{ id: `${job_id} ${role}`, job_id, role, content },
  ...{ tokens_used: 1, created_at: "2026-11-30T00:00:00.000Z", metadata: {} },
});
const pair = (job: string) => [message(job, "user", `question ${job}`), message(job, "assistant", `answer ${job}`)];

/** What a conversation reads of a turn. */
const turn = (jobId: string | null, more: Partial<Turn> = {}) =>
  ({
    ...{ jobId: { value: jobId }, question: `question ${jobId}`, replaces: null, key: `turn ${jobId}` },
    ...{ isEnded: false, isSettled: false, wasStored: false, ...more },
  }) as Turn;

const shown = (...args: Parameters<typeof exchangesOf>) =>
  exchangesOf(...args).map(({ jobId, answers, turn }) => [jobId, answers.length, turn !== null]);
const NO_JOBS: ReadonlyMap<string, Job> = new Map();

describe("exchanges of a conversation", () => {
  test("each job of the history is a question with its answer, in order", () => {
    const [first] = exchangesOf([...pair("a"), ...pair("b")], [], NO_JOBS);
    expect(first?.question).toMatchObject({ id: "a user", content: "question a" });
    expect(shown([...pair("a"), ...pair("b")], [], NO_JOBS)).toEqual([
      ["a", 1, false],
      ["b", 1, false],
    ]);
  });

  test("a turn stands behind the history, and with its question once that is stored", () => {
    expect(shown(pair("a"), [turn("b")], NO_JOBS)).toEqual([
      ["a", 1, false],
      ["b", 0, true],
    ]);
    const stored = [...pair("a"), message("b", "user", "question b")];
    expect(shown(stored, [turn("b", { wasStored: true })], NO_JOBS)).toEqual([
      ["a", 1, false],
      ["b", 0, true],
    ]);
  });

  test("a turn that failed before its question was stored stays in sight", () => {
    expect(shown(pair("a"), [turn("b", { isEnded: true, isSettled: true })], NO_JOBS)).toEqual([
      ["a", 1, false],
      ["b", 0, true],
    ]);
  });

  test("what a turn replaces is left out until the history is without it, and then the replaced turn is", () => {
    const history = [...pair("a"), ...pair("b")];
    const replacing = turn(null, { replaces: "b user" });
    expect(shown(history, [turn("b", { isEnded: true, wasStored: true }), replacing], NO_JOBS)).toEqual([
      ["a", 1, false],
      [null, 0, true],
    ]);
    const refused = { ...replacing, isEnded: true, isSettled: true } as Turn;
    expect(shown(history, [refused], NO_JOBS).slice(0, 2)).toEqual([
      ["a", 1, false],
      ["b", 1, false],
    ]);
  });
});
