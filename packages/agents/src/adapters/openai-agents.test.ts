import type { Decision, Inquiry } from "@agent-paas/shared/contract/inquiries.ts";
import { expect, test } from "vitest";
import { z } from "zod";
import { type AgentContext, type AgentInput, BaseAgent } from "../agent/agent.ts";
import { type RunAgentOptions, runAgent } from "../testing/run-agent.ts";
import { answerWithOpenAiAgents, journaledTool, type OpenAiAgentsRequest } from "./openai-agents.ts";

type Stream = { readonly events: readonly object[]; readonly more?: object };

/** Runs an agent whose SDK streams these events. */
function run(stream: (asked: OpenAiAgentsRequest) => Stream, options: RunAgentOptions = {}) {
  class Agent extends BaseAgent {
    static readonly description = "Of a test.";
    static readonly config = z.strictObject({});
    async *run(input: AgentInput, context: AgentContext<unknown>) {
      const start = (asked: OpenAiAgentsRequest) => {
        const { events, more } = stream(asked);
        async function* parts() {
          yield* events;
        }
        return Object.assign(parts(), { completed: Promise.resolve(), ...more });
      };
      return yield* answerWithOpenAiAgents(start, input, context);
    }
  }
  return runAgent(Agent, "Go", options);
}

const raw = (data: object) => ({ type: "raw_model_stream_event", data });
const usage = { inputTokens: 3, outputTokens: 2, totalTokens: 5 };
const turn = (...events: object[]) => [
  raw({ type: "response_started" }),
  ...events.map(raw),
  raw({ type: "response_done", response: { usage, output: [] } }),
];
const chunk = (delta: object, more: object = {}) => ({
  ...{ type: "model", event: { model: "m", choices: [{ delta, ...more }] } },
});

test("text, reasoning and handoffs are shown, and turns are counted under the model that answered", async () => {
  const handoff = { type: "run_item_stream_event", name: "handoff_occurred", item: { targetAgent: { name: "cook" } } };
  const events = [
    ...turn(chunk({ reasoning_content: "Hm" }), { type: "output_text_delta", delta: "One" }),
    handoff,
    ...turn(chunk({}, { finish_reason: "length" }), { type: "output_text_delta", delta: "Two" }),
  ];
  const record = await run(() => ({ events, more: { finalOutput: { guests: [] } } }));
  expect(record).toMatchObject({ content: "One\n\nTwo", data: { guests: [] }, finishReason: "length" });
  expect(record.usage).toMatchObject({ total_tokens: 10, models: { m: { total_tokens: 10 } } });
  expect(record.events.map(({ data: { type, content } }) => [type, content]).slice(0, 4)).toEqual([
    ["reasoning", "Hm"],
    ["text", "One"],
    ["delegate", "cook"],
    ["text", "\n\nTwo"],
  ]);
});

test("a tool that the provider hosts is shown with its result", async () => {
  const rawItem = { type: "hosted_tool_call", id: "h", name: "web_search_call", status: "completed", output: "found" };
  const searched = { type: "run_item_stream_event", name: "tool_called", item: { rawItem } };
  const record = await run(() => ({ events: [...turn({ type: "output_text_delta", delta: "Found" }), searched] }));
  expect(record.events.map(({ data: { type, content } }) => [type, content]).slice(1)).toEqual([
    ["tool_call", "web_search_call({})"],
    ["tool_result", "web_search_call: found"],
  ]);
});

test("calls that wait for an approval are asked together, and the run's state is told and goes on", async () => {
  const told: unknown[] = [];
  const state = {
    approve: ({ rawItem }: { rawItem: { callId: string } }) => told.push(rawItem.callId),
    reject: ({ rawItem }: { rawItem: { callId: string } }, options: object) => told.push([rawItem.callId, options]),
  };
  const interruptions = ["1", "2"].map((callId) => ({
    rawItem: { callId, name: "refund", arguments: `{"n":${callId}}` },
  }));
  const decide = (inquiry: Inquiry): Decision =>
    inquiry.type === "input" && inquiry.question.includes('{"n":1}')
      ? { decision: "answer", answer: { approve: true } }
      : { decision: "reject", reason: "no" };
  const stream = ({ messages }: OpenAiAgentsRequest): Stream =>
    messages === (state as never)
      ? { events: turn({ type: "output_text_delta", delta: "Done" }), more: { finalOutput: "Done" } }
      : { events: turn(), more: { interruptions, state } };
  expect((await run(stream, { decide })).content).toBe("Done");
  expect(told).toEqual(["1", ["2", { message: "no" }]]);
});

test("an error that the SDK knows only at the end of its stream fails the job", async () => {
  const refused = Object.assign(new Error("no"), { status: 401 });
  const stream = () => ({ events: turn(), more: { completed: Promise.reject(refused) } });
  await expect(run(stream)).rejects.toMatchObject({ code: "model_auth_failed" });
});

test("a tool outside a job only does its work", async () => {
  const tool = journaledTool({ name: "echo", invoke: async (_: unknown, input: string) => input });
  expect(await tool.invoke(null, "hi")).toBe("hi");
});
