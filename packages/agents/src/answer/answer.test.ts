import { NO_USAGE } from "@agent-paas/shared/contract/jobs.ts";
import { DEFAULT_LIMITS } from "@agent-paas/shared/contract/limits.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { expect, test } from "vitest";
import { z } from "zod";
import type { AgentEvent } from "../agent/events.ts";
import { createBudget } from "../job/budget.ts";
import type { Model, ModelChunk, ModelRequest, ModelTurn, ToolCall } from "../model/model.ts";
import { createToolbox } from "../registry/toolbox.ts";
import { APPROVE_ALL } from "../testing/approve-all.ts";
import { createMemoryJournal } from "../testing/memory-journal.ts";
import { createScriptedModel, type ScriptedTurn } from "../testing/scripted-model.ts";
import { createJobTools } from "../tools/job-tools.ts";
import { defineTool, type Tool } from "../tools/tool.ts";
import { type AnswerRequest, answer } from "./answer.ts";

const QUESTION = { role: "user", content: "What is it?" } as const;

async function ask(request: Partial<AnswerRequest>, ...script: ScriptedTurn[]) {
  const model = createScriptedModel(...script);
  const ended = await askModel(model, request);
  model.done();
  return { ...ended, requests: model.requests };
}

async function askModel(model: Model, request: Partial<AnswerRequest>) {
  const tools = createJobTools({
    toolbox: createToolbox(),
    budget: createBudget({ ...DEFAULT_LIMITS, deadline_ms: 1_000 }, () => {}),
    journal: createMemoryJournal(),
    retriever: { search: async () => [] },
    logger: { info: () => {}, warn: () => {}, error: () => {} },
    jobId: "job",
    sessionId: null,
    ended: new AbortController().signal,
    owner: "ann",
    collection: null,
    approvals: APPROVE_ALL,
  });
  const { signal } = new AbortController();
  const run = answer({ messages: [QUESTION], ...request }, { model, tools, signal, locale: "en", owner: "ann" });
  const events: AgentEvent[] = [];
  for (;;) {
    const step = await run.next();
    if (step.done) return { outcome: step.value, events };
    events.push(step.value);
  }
}

const call = (name: string, args: object | string, id = name): ToolCall => ({
  id,
  name,
  arguments: typeof args === "string" ? args : JSON.stringify(args),
});

const shown = (events: readonly AgentEvent[]) => events.map(({ data }) => data.content);

const started: string[] = [];
const echo = defineTool({
  name: "echo",
  description: "Says it again.",
  parameters: z.strictObject({ word: z.string() }),
  idempotent: true,
  call: async ({ word }) => {
    started.push(word);
    // The first call waits for the second to start, so the test ends only if both run side by side.
    if (word === "first") while (!started.includes("second")) await new Promise(setImmediate);
    if (word === "first") await new Promise(setImmediate);
    return word;
  },
});

test("an answer without tools is its streamed text", async () => {
  const { outcome, events } = await ask({}, { pieces: ["It ", "is."] });
  expect(outcome).toEqual({ content: "It is." });
  expect(shown(events)).toEqual(["It ", "is."]);
});

test("tool calls of one turn run side by side, and their results are in the order of the calls", async () => {
  const { outcome, events, requests } = await ask(
    { tools: [echo] },
    {
      pieces: ["Let me see."],
      toolCalls: [call("echo", { word: "first" }, "1"), call("echo", { word: "second" }, "2")],
    },
    { pieces: ["Done."] },
  );
  expect(outcome.content).toBe("Let me see.\n\nDone.");
  const thoughts = events.flatMap((event) => (event.event === "thought" ? [event.data] : []));
  expect(thoughts.map(({ type, call_id }) => [type, call_id])).toEqual([
    ["tool_call", "1"],
    ["tool_call", "2"],
    ["tool_result", "2"],
    ["tool_result", "1"],
  ]);
  expect(thoughts[2]).toMatchObject({ name: "echo", status: "ok", result: "second", replayed: false });
  expect(requests[1]?.messages.slice(1)).toEqual([
    { role: "assistant", content: "Let me see.", toolCalls: requests[1]?.messages.flatMap(callsOf) },
    { role: "tool", callId: "1", content: "first" },
    { role: "tool", callId: "2", content: "second" },
  ]);
});

const callsOf = (message: object): unknown[] => ("toolCalls" in message ? (message.toolCalls as unknown[]) : []);

test.each([
  ["arguments that are no JSON", call("echo", '{"word":'), "The arguments are not JSON."],
  ["arguments that do not fit", call("echo", { word: 7 }), expect.stringMatching(/do not fit/)],
  ["a number that would become null", call("echo", '{"word":1e400}'), expect.stringMatching(/1e400 is out of range/)],
  [
    "an integer that the tool cannot take",
    call("echo", '{"word":12345678901234567890}'),
    expect.stringMatching(/2\^53/),
  ],
  ["an unknown tool", call("shell", {}), 'There is no tool "shell".'],
])("a tool call with %s becomes an error message for the model", async (_, toolCall, content) => {
  const { outcome, requests } = await ask({ tools: [echo] }, { toolCalls: [toolCall] }, { pieces: ["I see."] });
  expect(outcome.content).toBe("I see.");
  expect(requests[1]?.messages.at(-1)).toEqual({ role: "tool", callId: toolCall.id, content });
});

test("a call that fails the job is reported after the other calls of its turn have ended", async () => {
  const seen: string[] = [];
  const slow = defineTool({
    ...{ name: "slow", description: "", parameters: z.strictObject({}), idempotent: true },
    call: async () => {
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
      seen.push("slow");
    },
  });
  const away = defineTool({
    ...{ name: "away", description: "", parameters: z.strictObject({}), idempotent: true },
    call: () => {
      throw new PlatformError("vector_store_unavailable");
    },
  });
  const calls = [call("away", {}), call("slow", {})];
  await expect(ask({ tools: [slow, away] }, { toolCalls: calls })).rejects.toMatchObject({
    code: "vector_store_unavailable",
  });
  expect(seen).toEqual(["slow"]);
});

const responseSchema = { type: "object", properties: { n: { type: "integer" } }, required: ["n"] };

test("an answer that fits its schema is returned as data, without the fence around it", async () => {
  const plain = await ask({ responseSchema }, { pieces: ['{"n":', "1}"] });
  expect(plain.outcome).toEqual({ content: '{"n":1}', data: { n: 1 } });
  expect(plain.requests[0]?.messages[0]).toMatchObject({
    role: "system",
    content: expect.stringContaining('"integer"'),
  });
  const fenced = await ask({ responseSchema }, { pieces: ['```json\n{"n":1}\n```'] });
  expect(fenced.outcome).toEqual({ content: '{"n":1}', data: { n: 1 } });
  expect(fenced.events.at(-1)).toEqual({ event: "message", data: { type: "reset", content: '{"n":1}' } });
});

test("an unterminated fence is read in linear time", async () => {
  // A quadratic reader would run into the time limit of the test.
  const fence = `\`\`\`${"\n".repeat(3_000_000)}x`;
  const { outcome } = await ask({ responseSchema }, { pieces: [fence] }, { pieces: ['{"n":1}'] });
  expect(outcome).toEqual({ content: '{"n":1}', data: { n: 1 } });
});

test("an answer that does not fit its schema is requested again, and the second one replaces it", async () => {
  const { outcome, events, requests } = await ask({ responseSchema }, { pieces: ["Well, 1"] }, { pieces: ['{"n":1}'] });
  expect(outcome.data).toEqual({ n: 1 });
  expect(events.map(({ data }) => data.type)).toEqual(["text", "status", "reset", "text"]);
  expect(requests[1]?.messages.slice(-2)).toEqual([
    { role: "assistant", content: "Well, 1" },
    { role: "user", content: expect.stringContaining("it is not JSON"), isCorrection: true },
  ]);
});

test("a second answer that does not fit fails the job, and an invalid schema fails it at once", async () => {
  await expect(ask({ responseSchema }, { pieces: ['{"n":"1"}'] }, { pieces: ["{}"] })).rejects.toMatchObject({
    code: "response_schema_mismatch",
    message: expect.stringContaining("required property 'n'"),
  });
  await expect(ask({ responseSchema: { type: "whole" } })).rejects.toMatchObject({ code: "invalid_config" });
});

type Turn = readonly [chunks: readonly ModelChunk[], turn: Partial<ModelTurn>];

/** A model of these turns, with all that a provider may report. */
function modelOf(...turns: readonly Turn[]) {
  const requests: ModelRequest[] = [];
  const model: Model = {
    async *stream(request) {
      requests.push(request);
      const [chunks, turn] = turns[requests.length - 1] ?? [[], {}];
      yield* chunks;
      return { content: "", toolCalls: [], finishReason: "stop", usage: NO_USAGE, ...turn };
    },
  };
  return { model, requests };
}

test("reasoning, and what a provider wants back with its calls, go into the next turn", async () => {
  const toolCalls = [
    { ...call("echo", { word: "a" }), extra: { extra_content: { google: { thought_signature: "x" } } } },
  ];
  const { model, requests } = modelOf([[], { toolCalls, reasoning: " So.\n", finishReason: "tool_calls" }], [[], {}]);
  await askModel(model, { tools: [echo] });
  expect(requests[1]?.messages[1]).toEqual({ role: "assistant", content: "", toolCalls, reasoning: " So.\n" });
});

test("text that was thoughts after all becomes a thought, and the text of earlier turns stays", async () => {
  const text = (content: string): ModelChunk => ({ type: "text", content });
  const { model } = modelOf(
    [[text("First.")], { content: "First.", toolCalls: [call("echo", { word: "a" })] }],
    [[text("So "), text("it is."), { type: "reset", content: "So it is." }, text("Second.")], { content: "Second." }],
  );
  const { outcome, events } = await askModel(model, { tools: [echo] });
  expect(outcome.content).toBe("First.\n\nSecond.");
  expect(events.slice(-3).map(({ data }) => [data.type, data.content])).toEqual([
    ["reasoning", "So it is."],
    ["reset", "First."],
    ["text", "\n\nSecond."],
  ]);
});

test("a call that its turn's limit has cut is not made, and the model is told; whole ones before it are", async () => {
  for (const args of ["", '{"wo', '{"word":"b']) {
    const toolCalls = [call("echo", { word: "a" }, "1"), call("echo", args, "2")];
    const { model, requests } = modelOf([[], { toolCalls, finishReason: "length" }], [[], {}]);
    await askModel(model, { tools: [echo] });
    expect(requests[1]?.messages.slice(2)).toEqual([
      { role: "tool", callId: "1", content: "a" },
      { role: "tool", callId: "2", content: expect.stringContaining("limit of output tokens") },
    ]);
  }
});

test("an answer that was cut is requested again in fewer words, and a second cut says so instead of naming JSON", async () => {
  const cut: ScriptedTurn = { pieces: ['{"n":'], finishReason: "length" };
  const { outcome, requests } = await ask({ responseSchema }, cut, { pieces: ['{"n":1}'] });
  expect(outcome.data).toEqual({ n: 1 });
  expect(requests[1]?.messages.at(-1)?.content).toMatch(/cut at the limit of output tokens.*fewer words/);
  await expect(ask({ responseSchema }, cut, cut)).rejects.toMatchObject({
    code: "response_schema_mismatch",
    message: expect.stringMatching(/cut at the limit of output tokens/),
  });
});

test.each([
  ["refusal", "model_refused"],
  ["content_filter", "model_content_filtered"],
])("an answer that ended with %s is not asked for again: the job fails with %s", async (finishReason, code) => {
  await expect(ask({ responseSchema }, { pieces: ["I cannot."], finishReason })).rejects.toMatchObject({ code });
});

const received: unknown[] = [];
const record: Tool = {
  ...{ name: "record", description: "", idempotent: true, timeoutMs: 1_000, maxResultChars: 1_000 },
  parameters: {
    type: "object",
    properties: { id: { type: "integer" }, note: { type: "string" }, mark: { type: ["string", "null"] } },
    required: ["id"],
  },
  parse: (args) => args,
  async call(args) {
    received.push(args);
    return args;
  },
};

test("a tool gets integers beyond 2^53 as they came, and null for an optional argument as its absence", async () => {
  const args = '{"id":12345678901234567890,"note":null,"mark":null}';
  const { events, requests } = await ask(
    { tools: [record] },
    { toolCalls: [call("record", args)] },
    { pieces: ["Ok"] },
  );
  expect(received).toEqual([{ id: 12345678901234567890n, mark: null }]);
  expect(JSON.stringify(events[0]?.data)).toContain('"arguments":{"id":12345678901234567890,"note":null,"mark":null}');
  expect(requests[1]?.messages.at(-1)?.content).toBe('{"id":12345678901234567890,"mark":null}');
});

test("data of a response_schema keeps integers beyond 2^53, which count as integers", async () => {
  const { outcome } = await ask({ responseSchema }, { pieces: ['{"n":12345678901234567890}'] });
  expect(outcome.data).toEqual({ n: 12345678901234567890n });
});
