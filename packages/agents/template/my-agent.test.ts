/** Runs the agent without a platform: the model is a script, and everything else is as strict as the real one. */
import { createJournalStore, createScriptedModel, runAgent } from "@agent-paas/agents/testing";
import { expect, test } from "vitest";
import { MyAgent } from "./my-agent.ts";

const CALL = { toolCalls: [{ id: "1", name: "look_up", arguments: '{"word":"lamp"}' }] };

test("the agent looks a word up before it answers", async () => {
  const model = createScriptedModel(CALL, { pieces: ["A lamp ", "gives light."] });
  const { content, events } = await runAgent(MyAgent, "What is a lamp?", { model, config: { style: "thorough" } });

  expect(content).toBe("A lamp gives light.");
  expect(events.map(({ data }) => data.type)).toEqual(["tool_call", "tool_result", "text", "text"]);
  // What the model was asked, turn by turn.
  const [first, second] = model.requests;
  expect(first?.messages[0]?.content).toContain("Be thorough.");
  expect(second?.messages.at(-1)).toMatchObject({ role: "tool", content: '{"word":"lamp","letters":4}' });
  model.done(); // throws if the script has turns that nobody asked for
});

test("a second attempt of a job does not repeat the finished call", async () => {
  const store = createJournalStore();
  const broken = createScriptedModel(CALL, { error: new Error("the worker died here") });
  await expect(runAgent(MyAgent, "What is a lamp?", { model: broken, store })).rejects.toThrow("died");

  const model = createScriptedModel({ pieces: ["It gives light."] });
  const { events } = await runAgent(MyAgent, "What is a lamp?", { model, store });
  const results = events.filter(({ data }) => data.type === "tool_result");
  expect(results).toMatchObject([{ data: { name: "look_up", replayed: true } }]);
});
