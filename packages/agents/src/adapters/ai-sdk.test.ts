import type { Decision, Inquiry } from "@agent-paas/shared/contract/inquiries.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { expect, test } from "vitest";
import { z } from "zod";
import { type AgentContext, type AgentInput, BaseAgent } from "../agent/agent.ts";
import { createJournalStore } from "../testing/memory-journal.ts";
import { type RunAgentOptions, runAgent } from "../testing/run-agent.ts";
import { type AiSdkRequest, answerWithAiSdk, journaledTools } from "./ai-sdk.ts";

type Part = { readonly type: string; readonly [field: string]: unknown };

const step = (...parts: Part[]): Part[] => [
  { type: "start-step" },
  ...parts,
  {
    ...{ type: "finish-step", finishReason: "stop", response: { modelId: "m" } },
    usage: { inputTokens: 3, outputTokens: 2, totalTokens: 5 },
  },
];

/** Runs an agent whose framework streams these parts. */
function run(stream: (asked: AiSdkRequest) => AsyncIterable<Part>, options: RunAgentOptions = {}, output?: unknown) {
  class Agent extends BaseAgent {
    static readonly description = "Of a test.";
    static readonly config = z.strictObject({});
    async *run(input: AgentInput, context: AgentContext<unknown>) {
      const responseMessages = Promise.resolve([{ role: "assistant", content: "the call" }]);
      const start = (asked: AiSdkRequest) => ({
        ...{ stream: stream(asked), output: Promise.resolve(output), responseMessages },
      });
      return yield* answerWithAiSdk(start, input, context);
    }
  }
  return runAgent(Agent, "Go", options);
}

async function* streamOf(...parts: Part[]): AsyncGenerator<Part> {
  yield* parts;
}

test("texts of two turns are an answer with an empty line between, reasoning is shown, and usage is counted", async () => {
  const told: Part[] = [
    ...step({ type: "reasoning-delta", text: "Hm" }, { type: "text-delta", text: "One" }),
    ...step({ type: "text-delta", text: "T" }, { type: "text-delta", text: "wo" }),
  ];
  const { content, events, usage, data } = await run(() => streamOf(...told), {}, { done: true });
  expect([content, data]).toEqual(["One\n\nTwo", { done: true }]);
  expect(events.map(({ data: { type, content } }) => [type, content])).toEqual([
    ["reasoning", "Hm"],
    ["text", "One"],
    ["text", "\n\nT"],
    ["text", "wo"],
  ]);
  expect(usage).toMatchObject({ input_tokens: 6, output_tokens: 4, models: { m: { total_tokens: 10 } } });
});

test("a provider's failure is the platform's, however deep it is wrapped, and an empty answer is a failure", async () => {
  const failure = (error: unknown) => run(() => streamOf({ type: "error", error }));
  const refused = Object.assign(new Error("no"), { statusCode: 429, data: { error: { code: "insufficient_quota" } } });
  await expect(failure(refused)).rejects.toMatchObject({ code: "model_quota_exceeded" });
  await expect(failure(new Error("tried thrice", { cause: refused }))).rejects.toMatchObject({
    code: "model_quota_exceeded",
  });
  const gone = Object.assign(new Error("fetch failed"), { cause: { code: "ECONNREFUSED" } });
  await expect(failure(gone)).rejects.toMatchObject({ code: "model_stream_broken" });
  await expect(failure("The server had an error")).rejects.toMatchObject({ code: "model_stream_broken" });
  await expect(failure(new Error("a bug"))).rejects.toThrow("a bug");
  await expect(run(() => streamOf({ type: "abort", reason: "timeout" }))).rejects.toMatchObject({
    code: "model_timeout",
  });
  await expect(run(() => streamOf(...step()))).rejects.toMatchObject({ code: "model_answer_empty" });
});

/** Asks for an approval unless the conversation has one. */
const asking = ({ messages }: AiSdkRequest): AsyncIterable<Part> => {
  const { role, content } = messages.at(-1) as unknown as { role: string; content: unknown };
  const toolCall = { toolCallId: "1", toolName: "refund", input: { order: "A-1" } };
  if (role !== "tool") return streamOf(...step({ type: "tool-approval-request", approvalId: "a", toolCall }));
  return streamOf(...step({ type: "text-delta", text: JSON.stringify(content) }));
};

test.each<[Decision, object]>([
  [{ decision: "answer", answer: { approve: true } }, { approved: true }],
  [
    { decision: "answer", answer: { approve: false, reason: "no" } },
    { approved: false, reason: "no" },
  ],
  [{ decision: "reject", expired: true }, { approved: false }],
])(
  "the decision %j on an approval that the framework waits for reaches the framework as %j",
  async (decision, told) => {
    const asked: Inquiry[] = [];
    const decide = (inquiry: Inquiry) => {
      asked.push(inquiry);
      return decision;
    };
    const { content } = await run(asking, { decide });
    expect(JSON.parse(content)).toEqual([{ type: "tool-approval-response", approvalId: "a", ...told }]);
    expect(asked).toMatchObject([{ type: "input", question: expect.stringContaining('refund({"order":"A-1"})') }]);
  },
);

test("an approval that nobody has decided suspends the job", async () => {
  await expect(run(asking)).rejects.toMatchObject({ name: "Suspended" });
});

const effects: string[] = [];
const tools = journaledTools(
  {
    order: { execute: async ({ dish }: { dish: string }) => ({ ordered: dish }) },
    book: { execute: async ({ day }: { day: string }) => ({ booked: effects.push(day) }) },
    fail: {
      execute: async () => {
        throw new PlatformError("tool_unavailable");
      },
    },
  },
  { needsApproval: ["order"] },
);

test("a finished call is not made again by a later attempt, and its value is the same", async () => {
  const store = createJournalStore();
  const values: unknown[] = [];
  async function* calls(): AsyncGenerator<Part> {
    values.push(await tools.book.execute({ day: "Monday" }));
    yield* step({ type: "text-delta", text: "Done" });
  }
  await run(calls, { store });
  await run(calls, { store });
  expect([values, effects]).toEqual([[{ booked: 1 }, { booked: 1 }], ["Monday"]]);
});

test("the platform's approval of a call suspends the job, and may change the arguments", async () => {
  const store = createJournalStore();
  const values: unknown[] = [];
  async function* calls(): AsyncGenerator<Part> {
    values.push(await tools.order.execute({ dish: "soup" }).catch((error: Error) => error.message));
    yield* step({ type: "text-delta", text: "Done" });
  }
  await expect(run(calls, { store })).rejects.toMatchObject({ name: "Suspended" });
  const decide = (): Decision => ({ decision: "edit", arguments: { dish: "fish" } });
  await run(calls, { store, decide });
  expect(values.at(-1)).toBe('A person changed the arguments to {"dish":"fish"}.\n{"ordered":"fish"}');
});

test("what must fail the job fails it, also if the framework takes it for a tool's failure and goes on", async () => {
  async function* goesOn(): AsyncGenerator<Part> {
    await tools.fail.execute().catch(() => {});
    yield* step({ type: "text-delta", text: "As if nothing had been" });
  }
  await expect(run(goesOn)).rejects.toMatchObject({ code: "tool_unavailable" });
});

test("an aborted job aborts the framework's signal, and its reader gets the job's reason", async () => {
  const cancel = new AbortController();
  let seen: AbortSignal | undefined;
  async function* hangs({ abortSignal }: AiSdkRequest): AsyncGenerator<Part> {
    seen = abortSignal;
    yield { type: "text-delta", text: "So far" };
    await new Promise(() => {});
  }
  const job = run(hangs, { signal: cancel.signal, onEvent: () => cancel.abort(new Error("cancelled")) });
  await expect(job).rejects.toThrow("cancelled");
  expect(seen?.aborted).toBe(true);
});

test("a tool outside a job only does its work", async () => {
  expect(await tools.book.execute({ day: "Tuesday" })).toEqual({ booked: 2 });
});
