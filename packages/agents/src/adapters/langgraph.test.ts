import type { Decision, Inquiry } from "@agent-paas/shared/contract/inquiries.ts";
import { expect, test } from "vitest";
import { z } from "zod";
import { type AgentContext, type AgentInput, BaseAgent } from "../agent/agent.ts";
import { createJournalStore } from "../testing/memory-journal.ts";
import { type RunAgentOptions, runAgent } from "../testing/run-agent.ts";
import { answerWithLangGraph, journaledCheckpointer, journaledTool, type LangGraph } from "./langgraph.ts";

/** Runs an agent with this graph. */
function run(graph: LangGraph, options: RunAgentOptions = {}) {
  class Agent extends BaseAgent {
    static readonly description = "Of a test.";
    static readonly config = z.strictObject({});
    async *run(input: AgentInput, context: AgentContext<unknown>) {
      return yield* answerWithLangGraph(graph, input, context);
    }
  }
  return runAgent(Agent, "Go", options);
}

const ai = (id: string, content: string, more: object = {}) => ({ id, content, getType: () => "ai", ...more });

async function* streamOf(...chunks: unknown[]): AsyncGenerator<unknown> {
  yield* chunks;
}

const graphOf = (stream: (asked: unknown, config: unknown) => AsyncIterable<unknown>): LangGraph => ({
  stream: async (asked, config) => stream(asked, config),
  getState: async () => ({ values: {}, next: [] }),
});

test("tokens, calls and results of a graph are shown once, and its turns are counted by their messages", async () => {
  const calls = [{ id: "c", name: "look", args: { at: 1 } }];
  const usage_metadata = { input_tokens: 3, output_tokens: 2, total_tokens: 5 };
  const metadata = { ls_model_name: "m" };
  const called = ai("1", "Let me see", { tool_calls: calls });
  const result = { id: "t", content: "seen", tool_call_id: "c", name: "look", getType: () => "tool" };
  const chunks = [
    ["messages", [ai("1", "Let me "), metadata]],
    ["messages", [ai("1", "see", { usage_metadata }), metadata]],
    ["updates", { model: { messages: [called] } }],
    ["messages", [result, {}]],
    ["updates", { tools: { messages: [result] } }],
    ["messages", [ai("2", "Done", { usage_metadata, response_metadata: { finish_reason: "length" } }), metadata]],
    ["updates", { model: { messages: ai("2", "Done") } }],
    ["values", { structuredResponse: { found: true } }],
  ];
  const { content, events, usage, data, finishReason } = await run(graphOf(() => streamOf(...chunks)));
  expect([content, data, finishReason]).toEqual(["Let me see\n\nDone", { found: true }, "length"]);
  expect(events.map(({ data: { type, content } }) => [type, content])).toEqual([
    ["text", "Let me "],
    ["text", "see"],
    ["tool_call", 'look({"at":1})'],
    ["tool_result", "look: seen"],
    ["text", "\n\nDone"],
    ["status", expect.any(String)],
  ]);
  expect(usage).toMatchObject({ total_tokens: 10, models: { m: { total_tokens: 10 } } });
});

test("what a node said before the graph was resumed is shown once, whether this attempt has streamed it or a former one", async () => {
  const decide = (): Decision => ({ decision: "answer", answer: "yes" });
  const asked = ["updates", { __interrupt__: [{ id: "a", value: "Sure?" }] }];
  const told = { first: { messages: [ai("1", "Ready.")] } };
  const cached = ["updates", { ...told, __metadata__: { cached: true } }];
  const after = (...before: unknown[]) =>
    graphOf((command) => ((command as { lg_name?: string }).lg_name ? streamOf(cached) : streamOf(...before, asked)));
  const streamed = after(["messages", [ai("1", "Ready."), {}]], ["updates", told]);
  expect((await run(streamed, { decide })).content).toBe("Ready.");
  expect((await run(after(), { decide })).content).toBe("Ready.");
});

test("interrupts are asked together, and a graph is resumed with the replies", async () => {
  const asked: unknown[] = [];
  const resumed: unknown[] = [];
  const decide = (inquiry: Inquiry): Decision => {
    const question = inquiry.type === "input" ? inquiry.question : "";
    asked.push(question);
    return question === "One?" ? { decision: "answer", answer: 7 } : { decision: "reject", reason: "late" };
  };
  const graph = graphOf((command) => {
    const { lg_name, resume } = command as { lg_name?: string; resume?: unknown };
    const __interrupt__ = [
      { id: "a", value: "One?" },
      { id: "b", value: { two: 2 } },
    ];
    if (lg_name !== "Command") return streamOf(["updates", { __interrupt__ }]);
    resumed.push(resume);
    return streamOf(["messages", [ai("1", "Thanks"), {}]]);
  });
  expect((await run(graph, { decide })).content).toBe("Thanks");
  expect([asked, resumed]).toEqual([["One?", '{"two":2}'], [{ a: 7, b: { declined: true, reason: "late" } }]]);
});

/** Keeps what it is given, as LangGraph's saver in memory does. */
class FakeSaver {
  readonly calls: unknown[] = [];
  readonly serde = {
    dumpsTyped: (value: unknown): [string, Uint8Array] => ["json", Buffer.from(JSON.stringify(value))],
    loadsTyped: (_: string, data: Uint8Array) => JSON.parse(Buffer.from(data).toString()),
  };
  async put(config: object, checkpoint: unknown, metadata: unknown): Promise<object> {
    this.calls.push(["put", config, checkpoint, metadata]);
    return config;
  }
  async putWrites(config: object, writes: unknown, taskId: string): Promise<void> {
    this.calls.push(["putWrites", config, writes, taskId]);
  }
  async getTuple(_config: object): Promise<unknown[]> {
    return this.calls;
  }
  getNextVersion = (current = 0) => current + 1;
}

test("a later attempt finds the checkpoints of the former one, and other jobs do not", async () => {
  const checkpointer = journaledCheckpointer(() => new FakeSaver());
  const found: unknown[][] = [];
  const graph = graphOf(async function* () {
    found.push([...(await checkpointer.getTuple({}))]);
    const configurable = { thread_id: "t", checkpoint_ns: "", checkpoint_id: `${found.length}` };
    await Promise.all([
      checkpointer.put({ configurable, callbacks: () => {} } as object, { at: found.length }, { step: 1 }),
      checkpointer.putWrites({ configurable }, [["messages", "x"]], "task"),
    ]);
    yield ["messages", [ai("1", "Done"), {}]];
  });
  const store = createJournalStore();
  await run(graph, { store });
  await run(graph, { store });
  await run(graph);
  const of = (id: string) => ({ configurable: { thread_id: "t", checkpoint_ns: "", checkpoint_id: id } });
  expect(found).toEqual([
    [],
    [
      ["put", of("1"), { at: 1 }, { step: 1 }],
      ["putWrites", of("1"), [["messages", "x"]], "task"],
    ],
    [],
  ]);
  expect([checkpointer.getNextVersion(4), checkpointer instanceof FakeSaver]).toEqual([5, true]);
});

test("a wrapped tool that calls interrupt() fails the job by its name", async () => {
  const interrupted = Object.assign(new Error("pause"), { name: "GraphInterrupt" });
  const tool = { name: "cancel", _call: () => Promise.reject(interrupted) };
  const graph = graphOf(async function* () {
    await (journaledTool(tool)._call as (...args: unknown[]) => Promise<unknown>)({}, null, {}).catch(() => {});
    yield ["messages", [ai("1", "As if nothing had been"), {}]];
  });
  await expect(run(graph)).rejects.toThrow('The tool "cancel" calls interrupt()');
});
