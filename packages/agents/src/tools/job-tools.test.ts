import { DEFAULT_LIMITS } from "@agent-paas/shared/contract/limits.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { expect, test } from "vitest";
import { z } from "zod";
import { createBudget } from "../job/budget.ts";
import type { Journal } from "../job/journal.ts";
import { createToolbox } from "../registry/toolbox.ts";
import { APPROVE_ALL } from "../testing/approve-all.ts";
import { createJournalStore, createMemoryJournal } from "../testing/memory-journal.ts";
import { createJobTools } from "./job-tools.ts";
import { defineTool, ToolError } from "./tool.ts";

const signal = new AbortController().signal;

function jobTools(journal: Journal = createMemoryJournal(), maxToolCalls = 40) {
  const limits = { ...DEFAULT_LIMITS, max_tool_calls: maxToolCalls, deadline_ms: 1_000 };
  return createJobTools({
    toolbox: createToolbox(),
    budget: createBudget(limits, () => {}),
    journal,
    approvals: APPROVE_ALL,
    retriever: { search: async () => [] },
    logger: { info: () => {}, warn: () => {}, error: () => {} },
    jobId: "job",
    sessionId: null,
    ended: new AbortController().signal,
    owner: "ann",
    collection: null,
  });
}

function counter(options: { idempotent: boolean; call?: () => unknown; timeoutMs?: number; maxResultChars?: number }) {
  let calls = 0;
  const tool = defineTool({
    name: "count",
    description: "Counts.",
    parameters: z.strictObject({ by: z.int().default(1) }),
    ...options,
    call: ({ by }) => {
      calls += by;
      return options.call === undefined ? { calls } : options.call();
    },
  });
  return { tool, calls: () => calls };
}

test("a call returns its result, and bad arguments return a message for the model without a call", async () => {
  const { tool, calls } = counter({ idempotent: true });
  const tools = jobTools();
  expect(await tools.call(tool, { by: 2 }, signal)).toMatchObject({ status: "ok", content: '{"calls":2}' });
  expect(await tools.call(tool, { by: "two" }, signal)).toMatchObject({
    status: "error",
    content: expect.stringMatching(/do not fit.*by/s),
  });
  expect(calls()).toBe(2);
});

test("I5: a finished call is not repeated, whatever its outcome", async () => {
  const left = createJournalStore();
  for (const attempt of [1, 2]) {
    const tools = jobTools(createMemoryJournal(left));
    const { tool, calls } = counter({ idempotent: false });
    const broken = counter({
      idempotent: false,
      call: () => {
        throw new ToolError("no");
      },
    });
    expect(await tools.call(tool, {}, signal)).toMatchObject({ content: '{"calls":1}', replayed: attempt > 1 });
    expect(await tools.call(broken.tool, { by: 5 }, signal)).toMatchObject({ status: "error", content: "no" });
    expect(calls() + broken.calls()).toBe(attempt === 1 ? 6 : 0);
  }
});

test("I5: a call in doubt is repeated only if its tool is idempotent", async () => {
  for (const idempotent of [true, false]) {
    const left = createJournalStore();
    const stopped = new AbortController();
    const { tool: hanging } = counter({ idempotent, call: () => new Promise(() => {}) });
    const call = jobTools(createMemoryJournal(left)).call(hanging, {}, stopped.signal);
    queueMicrotask(() => stopped.abort(new Error("worker lost")));
    await expect(call).rejects.toThrow("worker lost");

    const { tool, calls } = counter({ idempotent });
    const outcome = await jobTools(createMemoryJournal(left)).call(tool, {}, signal);
    expect(outcome.status).toBe(idempotent ? "ok" : "in_doubt");
    expect(calls()).toBe(idempotent ? 1 : 0);
  }
});

test("a tool that exceeds its time limit or throws fails its own call only", async () => {
  const hanging = counter({ idempotent: false, timeoutMs: 20, call: () => new Promise(() => {}) });
  expect(await jobTools().call(hanging.tool, {}, signal)).toMatchObject({
    status: "error",
    content: "The tool did not answer within 0.02 s. It is not known whether the call took effect.",
  });
  const throwing = counter({
    idempotent: true,
    call: () => {
      throw new Error("secret detail");
    },
  });
  expect(await jobTools().call(throwing.tool, {}, signal)).toMatchObject({
    status: "error",
    content: "The tool failed.",
  });
});

test("a retryable PlatformError of a tool rejects, so that the job is retried", async () => {
  const { tool } = counter({
    idempotent: true,
    call: () => {
      throw new PlatformError("vector_store_unavailable");
    },
  });
  await expect(jobTools().call(tool, {}, signal)).rejects.toMatchObject({ code: "vector_store_unavailable" });
});

test("a long result is cut, and the cut is stated", async () => {
  const { tool } = counter({ idempotent: true, maxResultChars: 10, call: () => "😀".repeat(10) });
  const { content } = await jobTools().call(tool, {}, signal);
  expect(content).toBe(`${"😀".repeat(5)}\n[cut: 10 more characters]`);
});

test("a tool's own limit cannot exceed the size of a journal entry", async () => {
  const finished: unknown[] = [];
  const begin: Journal["begin"] = async () => ({
    ...{ state: "new", id: "id" },
    finish: async (value) => void finished.push(value),
  });
  const { tool } = counter({ idempotent: false, maxResultChars: 2_000_000, call: () => "\u0001".repeat(1_000_000) });
  await jobTools({ begin }).call(tool, {}, signal);
  expect(JSON.stringify(finished[0]).length).toBeLessThan(1024 * 1024);
});

test("a fourth identical call is refused, and an exhausted budget rejects every call", async () => {
  const { tool, calls } = counter({ idempotent: true });
  const tools = jobTools();
  for (let time = 0; time < 3; time++) expect((await tools.call(tool, {}, signal)).status).toBe("ok");
  expect(await tools.call(tool, {}, signal)).toMatchObject({
    status: "error",
    content: expect.stringMatching(/3 times/),
  });
  expect(calls()).toBe(3);
  await expect(jobTools(createMemoryJournal(), 0).call(tool, {}, signal)).rejects.toMatchObject({
    code: "budget_exhausted",
  });
});

test("a run that is aborted while the call is journaled makes no call", async () => {
  const stopped = new AbortController();
  const kept = createMemoryJournal();
  const begin: Journal["begin"] = async (step) => {
    const begun = await kept.begin(step);
    stopped.abort(new Error("cancelled"));
    return begun;
  };
  const { tool, calls } = counter({ idempotent: false });
  await expect(jobTools({ begin }).call(tool, {}, stopped.signal)).rejects.toThrow("cancelled");
  expect(calls()).toBe(0);
});

test("an error in the parser of a tool's arguments fails its own call only", async () => {
  const parameters = z.strictObject({}).transform(() => {
    throw new Error("secret-detail");
  });
  const tool = defineTool({ name: "odd", description: "Fails.", parameters, idempotent: true, call: () => "ok" });
  expect(await jobTools().call(tool, {}, signal)).toMatchObject({ status: "error", content: "The tool failed." });
});
