import { DEFAULT_LIMITS } from "@agent-paas/shared/contract/limits.ts";
import { expect, test } from "vitest";
import { createBudget } from "../job/budget.ts";
import { createScriptedModel, type ScriptedTurn } from "../testing/scripted-model.ts";
import { createMeter } from "./meter.ts";

const REQUEST = { messages: [{ role: "user", content: "Hello there" }] } as const;
const usageOf = (output: number) => ({ input_tokens: 5, output_tokens: output, total_tokens: 5 + output });

function meter(maxOutputTokens: number, ...script: ScriptedTurn[]) {
  const limits = { ...DEFAULT_LIMITS, max_output_tokens: maxOutputTokens, deadline_ms: 1_000 };
  const budget = createBudget(limits, () => {});
  const metered = createMeter(budget);
  return {
    model: metered.wrap(createScriptedModel(...script)),
    usage: metered.usage,
    tokensOf: metered.tokensOf,
    budget,
  };
}

async function said(model: ReturnType<typeof meter>["model"]): Promise<string[]> {
  const pieces: string[] = [];
  try {
    for await (const { content } of model.stream(REQUEST, new AbortController().signal)) pieces.push(content);
  } catch (error) {
    pieces.push(`! ${(error as Error).message}`);
  }
  return pieces;
}

test("usage is the sum of the turns, by the provider's figures", async () => {
  const { model, usage } = meter(100, { pieces: ["a"], usage: usageOf(1) }, { pieces: ["b", "c"], usage: usageOf(2) });
  await said(model);
  await said(model);
  expect(usage()).toEqual({ input_tokens: 10, output_tokens: 3, total_tokens: 13 });
});

test("a turn that breaks off counts by what came of it", async () => {
  const { model, usage } = meter(100, { pieces: ["one", " two"], error: new Error("broken") });
  expect(await said(model)).toEqual(["one", " two", "! broken"]);
  expect(usage()).toMatchObject({ output_tokens: 2 });
  expect(usage().input_tokens).toBeGreaterThan(0);
});

test("the answer is cut where the budget ends", async () => {
  const { model } = meter(2, { pieces: ["a", "b", "c", "d"], usage: usageOf(4) });
  expect(await said(model)).toEqual(["a", "b", "! The job reached its limit max_output_tokens (2)."]);
});

test("what a provider counts beyond what it showed is taken too, as is a large piece", async () => {
  const hidden = meter(10, { pieces: ["a"], usage: usageOf(11) });
  expect((await said(hidden.model)).at(-1)).toMatch(/max_output_tokens/);
  const large = meter(10, { pieces: ["many words in one single piece of the stream ".repeat(3)], usage: usageOf(1) });
  expect(await said(large.model)).toEqual([expect.stringMatching(/^! .*max_output_tokens/)]);
});

test("an answer of exactly the budget is whole", async () => {
  const { model, budget } = meter(3, { pieces: ["a", "b", "c"], usage: usageOf(3) });
  expect(await said(model)).toEqual(["a", "b", "c"]);
  expect(budget.left().outputTokens).toBe(0);
});

test("pieces of less than a token are counted by the provider's figure in the end", async () => {
  const { model, budget } = meter(10, { pieces: [..."letters"], usage: usageOf(2) });
  await said(model);
  expect(budget.left().outputTokens).toBe(8);
});

test("a text is counted as its provider counts it, if it is just what one turn said", async () => {
  const { model, tokensOf } = meter(100, { pieces: ["Hello", " there"], usage: usageOf(7) });
  await said(model);
  expect(tokensOf("Hello there")).toBe(7);
  expect(tokensOf("Hello")).toBe(1);
});

test.each([0, 90])(
  "a provider that counts %i for a few words, nothing or what it thought too, is not believed",
  async (count) => {
    const { model, tokensOf } = meter(100, { pieces: ["Hello", " there"], usage: usageOf(count) });
    await said(model);
    expect(tokensOf("Hello there")).toBe(2);
  },
);
