import { expect, test } from "vitest";
import { createJournalStore, createMemoryJournal } from "../testing/memory-journal.ts";
import { createScriptedModel, type ScriptedTurn } from "../testing/scripted-model.ts";
import { createJournaledModel } from "./journaled-model.ts";
import type { Model, ModelRequest, ModelTurn } from "./model.ts";

const TOOL = { name: "f", description: "", parameters: {} };
const CALL = { id: "1", name: "f", arguments: "{}" };
const usage = { input_tokens: 1, output_tokens: 2, total_tokens: 3 };

/** Runs two attempts of a job; returns their texts and turns, and how often the model was asked. */
async function twice(request: Partial<ModelRequest>, ...script: ScriptedTurn[]) {
  const left = createJournalStore();
  const model = createScriptedModel(...script);
  const turns = [];
  for (const _ of [1, 2]) {
    const journaled = createJournaledModel(model, createMemoryJournal(left));
    const run = journaled.stream(
      { messages: [{ role: "user", content: "hi" }], ...request },
      new AbortController().signal,
    );
    let text = "";
    let step = await run.next();
    for (; !step.done; step = await run.next()) text += step.value.content;
    turns.push({ text, turn: step.value });
  }
  return { turns, asked: model.requests.length };
}

test("a turn that calls tools is replayed from the journal, with its usage", async () => {
  const { turns, asked } = await twice({ tools: [TOOL] }, { pieces: ["Let ", "me."], toolCalls: [CALL], usage });
  expect(asked).toBe(1);
  expect(turns[1]).toEqual(turns[0]);
  expect(turns[1]).toMatchObject({ text: "Let me.", turn: { toolCalls: [CALL], usage } });
});

test("a turn without tool calls is requested again, unless its request sets keep", async () => {
  expect((await twice({}, { pieces: ["a"] }, { pieces: ["b"] })).asked).toBe(2);
  expect((await twice({ tools: [TOOL] }, { pieces: ["a"] }, { pieces: ["b"] })).asked).toBe(2);
  expect((await twice({ keep: true }, { pieces: ["a"] })).asked).toBe(1);
});

/** What two attempts of a job get of one turn, which the provider gives once. */
async function keptOf(turn: ModelTurn): Promise<readonly ModelTurn[]> {
  const left = createJournalStore();
  const turns: ModelTurn[] = [];
  for (const _ of [1, 2]) {
    const model: Model = {
      // biome-ignore lint/correctness/useYield: a turn without text
      async *stream() {
        if (turns.length > 0) throw new Error("the provider was asked again");
        return turn;
      },
    };
    const journaled = createJournaledModel(model, createMemoryJournal(left));
    const request = { messages: [{ role: "user", content: "hi" }], tools: [TOOL] } as const;
    const step = await journaled.stream(request, new AbortController().signal).next();
    if (step.done) turns.push(step.value);
  }
  return turns;
}

test("a replayed turn has its reasoning, its end and what goes back with its calls", async () => {
  const extra = { extra_content: { google: { thought_signature: "EhsMGQ+/==" } } };
  const fields = { reasoning_details: [{ type: "reasoning.encrypted", index: 0, data: "gAAA+/==" }] };
  const turn = {
    ...{ content: "", toolCalls: [{ ...CALL, extra }], reasoning: "So.", finishReason: "tool_calls", usage },
    extra: { origin: "openrouter.ai m", fields },
  };
  expect(await keptOf(turn)).toEqual([turn, turn]);
});

test("reasoning too long for the journal is left out, at once and at the replay", async () => {
  const rest = { content: "", toolCalls: [CALL], finishReason: "tool_calls", usage };
  const long = "x".repeat(1024 * 1024);
  expect(await keptOf({ ...rest, reasoning: long })).toEqual([rest, rest]);
  const extra = { origin: "m", fields: { encrypted_content: long } };
  // Nothing would say any more to whom the call's own signature may go.
  const toolCalls = [{ ...CALL, extra: { thought_signature: "s" } }];
  expect(await keptOf({ ...rest, toolCalls, extra })).toEqual([rest, rest]);
});
