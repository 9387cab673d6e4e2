/** What the worker's journal does beyond the contract of journals: children, the fence, and the usage it remembers. */
import type { Journal } from "@agent-paas/agents/job/journal.ts";
import { expect, test } from "vitest";
import { WriterRefused } from "../../apps/worker/src/events/job-event-writer.ts";
import { startJournaledJob } from "../support/journaled-job.ts";

const entry = (input: unknown, idempotent = true) => ({ kind: "tool", input, idempotent });

/** Begins and finishes a new entry; returns its id. */
async function finish(journal: Journal, input: unknown) {
  const begun = await journal.begin(entry(input));
  if (begun.state !== "new") throw new Error(`the entry is ${begun.state}`);
  await begun.finish(`value of ${JSON.stringify(input)}`);
  return begun.id;
}

test("equal entries of a job and of its child are distinct, and each is found where it was finished", async () => {
  const { attempt, db } = await startJournaledJob();
  const first = await attempt(1);
  const ids = [await finish(first, "a"), await finish(first, "a"), await finish(first.within("child"), "a")];
  expect(new Set(ids).size).toBe(3);
  const second = await attempt(2);
  for (const journal of [second, second.within("child"), second]) {
    expect(await journal.begin(entry("a"))).toMatchObject({ state: "finished" });
  }
  expect(await second.begin(entry("a"))).toMatchObject({ state: "new" });
  expect(await db("agent_steps").orderBy("step_no").pluck("step_no")).toEqual([1, 2, 3]);
});

test("a child that runs again within one attempt finds the entries that it finished before", async () => {
  const { attempt } = await startJournaledJob();
  const journal = await attempt(1);
  await finish(journal.within("child"), "a");
  const value = 'value of "a"';
  expect(await journal.within("child").begin(entry("a"))).toEqual({ state: "finished", value });
});

test("I4: a superseded attempt reports its refused writes and leaves no row; an ended job takes no entry", async () => {
  const { attempt, refused, db, jobs, payload } = await startJournaledJob();
  const superseded = await attempt(1);
  const begun = await superseded.begin(entry("a"));
  const current = await attempt(2);
  await expect(superseded.begin(entry("effect", false))).rejects.toThrow(WriterRefused);
  await expect("finish" in begun && begun.finish("late")).rejects.toThrow(WriterRefused);
  expect(refused).toEqual([1, 1]);
  expect(await db("agent_steps")).toEqual([]);

  await finish(current, "b");
  const usage = { input_tokens: 0, output_tokens: 0, total_tokens: 0 };
  const end = {
    status: "completed",
    result: { content: "" },
    resultTokens: 0,
    usage,
    error: null,
    lastSeq: 1,
    executionMs: 1,
  } as const;
  expect(await jobs.end(payload, 2, end)).toBe(true);
  await expect(current.begin(entry("after the end", false))).rejects.toThrow(WriterRefused);
});

test("the usage of earlier attempts is that of their model turns and tool calls alone", async () => {
  const { attempt } = await startJournaledJob();
  const first = await attempt(1);
  await finish(first, "a call");
  const usage = { input_tokens: 3, output_tokens: 4, total_tokens: 7 };
  for (const value of [{ content: "", toolCalls: [], finishReason: "stop", usage }, null, "vectors"]) {
    const begun = await first.begin({ kind: "model", input: value, idempotent: true });
    await ("finish" in begun && begun.finish(value));
  }
  expect(await (await attempt(2)).used()).toEqual({ usage, budget: { modelTurns: 3, toolCalls: 1, outputTokens: 4 } });
});
