import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { expect, test } from "vitest";
import { z } from "zod";
import { type AgentContext, type AgentInput, BaseAgent } from "../agent/agent.ts";
import { type AgentEvent, text, thought } from "../agent/events.ts";
import { answer } from "../answer/answer.ts";
import { firstMessages } from "../answer/first-messages.ts";
import { defineTool } from "../tools/tool.ts";
import { createJournalStore } from "./memory-journal.ts";
import { runAgent } from "./run-agent.ts";
import { createScriptedModel } from "./scripted-model.ts";

const Config = z.strictObject({ style: z.string().default("plain") });
type Context = AgentContext<z.output<typeof Config>>;

let bookings = 0;
const book = defineTool({
  ...{ name: "book", description: "Books a table.", parameters: z.strictObject({ for: z.int() }), idempotent: false },
  call: () => `booked ${++bookings}`,
});

class Waiter extends BaseAgent<typeof Config> {
  static readonly description = "Books tables.";
  static readonly config = Config;
  async *run(input: AgentInput, context: Context) {
    yield thought("status", context.config.style);
    const messages = await firstMessages(input, { history_tokens: 5 });
    return yield* answer({ messages, tools: context.tools.select(["book"]) }, context);
  }
}

const CALL = { toolCalls: [{ id: "1", name: "book", arguments: '{"for":2}' }] };
const usage = { input_tokens: 3, output_tokens: 2, total_tokens: 5 };

test("a run collects the agent's events, its answer and its usage", async () => {
  const model = createScriptedModel({ ...CALL, usage }, { pieces: ["Done", "."], usage });
  const history = [
    { role: "user", content: "one two three four five six seven" },
    { role: "assistant", content: "Yes?" },
  ] as const;
  const run = await runAgent(Waiter, "A table", { model, tools: [book], history, config: { style: "short" } });
  expect(run.events.map(({ data: { type, content } }) => [type, content])).toEqual([
    ["status", "short"],
    ["tool_call", 'book({"for":2})'],
    ["tool_result", expect.stringMatching(/^book: booked \d+$/)],
    ["text", "Done"],
    ["text", "."],
  ]);
  expect(run).toMatchObject({ content: "Done.", finishReason: "stop", usage: { total_tokens: 10 } });
  // What is older does not fit into the agent's budget for the history.
  expect(model.requests[0]?.messages.map(({ content }) => content)).toEqual(["Yes?", "A table"]);
  model.done();
});

test("a second run with the same store is a second attempt, which repeats no finished call", async () => {
  const store = createJournalStore();
  const before = bookings;
  const broken = createScriptedModel(CALL, { error: new PlatformError("model_unavailable") });
  const first = runAgent(Waiter, "A table", { model: broken, tools: [book], store });
  await expect(first).rejects.toMatchObject({ code: "model_unavailable" });
  const model = createScriptedModel({ pieces: ["Done."] });
  const second = await runAgent(Waiter, "A table", { model, tools: [book], store });
  expect(second.events).toContainEqual(expect.objectContaining({ data: expect.objectContaining({ replayed: true }) }));
  expect(bookings).toBe(before + 1);
  model.done();
});

const behaving = (run: (input: AgentInput, context: Context) => ReturnType<BaseAgent["run"]>) =>
  class extends BaseAgent<typeof Config> {
    static readonly description = "Behaves as given.";
    static readonly config = Config;
    run = run;
  };

test("an aborted run rejects with the signal's reason, even if its agent ignores it, and its events are known", async () => {
  const cancel = new AbortController();
  const events: AgentEvent[] = [];
  const deaf = behaving(async function* () {
    yield text("So far");
    cancel.abort(new Error("cancelled"));
    await new Promise(() => {});
  });
  const run = runAgent(deaf, "Go", { signal: cancel.signal, onEvent: (event) => events.push(event) });
  await expect(run).rejects.toThrow("cancelled");
  expect(events).toEqual([text("So far")]);
});

test("limits hold, a config is checked, and what is no event is refused", async () => {
  const asks = behaving(async function* (input, context) {
    return yield* answer({ messages: await firstMessages(input, { history_tokens: 0 }) }, context);
  });
  const long = createScriptedModel({ pieces: ["a", "b", "c"] });
  const limited = runAgent(asks, "Go", { model: long, limits: { max_output_tokens: 2 } });
  await expect(limited).rejects.toMatchObject({ code: "budget_exhausted" });
  await expect(runAgent(asks, "Go", { config: { colour: 1 } })).rejects.toMatchObject({ code: "invalid_config" });
  await expect(runAgent(asks, "Go")).rejects.toThrow("the script has no turn 1");
  const empty = createScriptedModel({ pieces: [] });
  await expect(runAgent(asks, "Go", { model: empty })).rejects.toMatchObject({ code: "model_answer_empty" });
  const odd = behaving(async function* () {
    yield "Hello" as unknown as AgentEvent;
  });
  await expect(runAgent(odd, "Go")).rejects.toThrow("The agent yielded what is no event");
});
