/** Calls of tools that the client runs. */
import { expect, test } from "vitest";
import { z } from "zod";
import { type AgentContext, type AgentInput, BaseAgent } from "../agent/agent.ts";
import type { ModelMessage, ToolCall } from "../model/model.ts";
import { type RunAgentOptions, runAgent } from "../testing/run-agent.ts";
import { createScriptedModel, type ScriptedTurn } from "../testing/scripted-model.ts";
import { defineTool } from "../tools/tool.ts";
import { answer } from "./answer.ts";
import { firstMessages } from "./first-messages.ts";

const add = defineTool({
  ...{ name: "add", description: "Adds.", parameters: z.strictObject({ a: z.int() }), idempotent: true },
  call: ({ a }) => `${a + 1}`,
});
const LOOK = { name: "look", description: "Looks.", parameters: { type: "object" } };

class Asker extends BaseAgent {
  static readonly description = "Asks.";
  static readonly config = z.strictObject({});
  static readonly clientTools = true;
  run(input: AgentInput, context: AgentContext<unknown>) {
    const asked = async () => ({
      messages: await firstMessages(input, { history_tokens: 100 }),
      tools: context.tools.select(["add"]),
    });
    return answer(asked, context);
  }
}

const call = (name: string, args: string, id = name): ToolCall => ({ id, name, arguments: args });

async function ask(options: RunAgentOptions, ...script: ScriptedTurn[]) {
  const model = createScriptedModel(...script);
  const ended = await runAgent(Asker, "Hi", { tools: [add], clientTools: [LOOK], ...options, model });
  model.done();
  return { ...ended, requests: model.requests };
}

test("a turn ends the answer when it calls the client, with the results of its other calls", async () => {
  const toolCalls = [call("look", ' {"at": 1.50}', "1"), call("add", '{"a":1}', "2"), call("look", "", "3")];
  const { openTurn, finishReason, events, requests, content } = await ask({}, { pieces: ["Wait"], toolCalls });
  const message: ModelMessage = { role: "assistant", content: "Wait", toolCalls };
  expect(openTurn).toEqual([message, { role: "tool", callId: "2", content: "2" }]);
  expect([finishReason, content]).toEqual(["tool_calls", "Wait"]);
  const thoughts = events.filter(({ event }) => event === "thought").map(({ data }) => data);
  expect(thoughts).toMatchObject([
    { type: "tool_call", name: "add", arguments: { a: 1 } },
    { type: "tool_result", result: "2" },
    { type: "tool_call", call_id: "1", client: true, arguments: ' {"at": 1.50}' },
    { type: "tool_call", call_id: "3", client: true, arguments: "{}" },
  ]);
  expect(requests[0]?.tools?.map(({ name }) => name)).toEqual(["add", "look"]);
});

test("arguments that are no JSON, or cut, go back to the model and not to the client", async () => {
  const broken = { toolCalls: [call("look", '{"at":', "1")] };
  const { openTurn, requests } = await ask({}, broken, { ...broken, finishReason: "length" }, { pieces: ["Done"] });
  expect(openTurn).toBeUndefined();
  const told = requests.slice(1).map(({ messages }) => messages.at(-1)?.content);
  expect(told).toEqual(["The arguments are not JSON.", expect.stringContaining("limit of output tokens")]);
});

test("a call that is demanded is demanded of the first turn alone, and none of none", async () => {
  const choices = (requests: readonly { toolChoice?: unknown }[]) => requests.map(({ toolChoice }) => toolChoice);
  const twice = [{ toolCalls: [call("add", '{"a":1}')] }, { pieces: ["2"] }];
  expect(choices((await ask({ toolChoice: "required" }, ...twice)).requests)).toEqual(["required", undefined]);
  expect(choices((await ask({ toolChoice: "none" }, ...twice)).requests)).toEqual(["none", "none"]);
});

test.each([
  [{ clientTools: [{ ...LOOK, name: "add" }] }, "tool_name_conflict", "tools"],
  [{ toolChoice: { name: "fly" } }, "invalid_request", "tool_choice"],
] as const)("tools and a choice that do not go together fail the job: %j", async (options, code, param) => {
  await expect(ask(options)).rejects.toMatchObject({ code, param });
});
