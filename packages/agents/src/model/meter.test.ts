import { DEFAULT_LIMITS } from "@agent-paas/shared/contract/limits.ts";
import { expect, test } from "vitest";
import { createBudget } from "../job/budget.ts";
import { NO_STEPS, type OpenStep } from "../job/steps.ts";
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

async function read(model: ReturnType<typeof meter>["model"]): Promise<string[]> {
  const pieces: string[] = [];
  try {
    for await (const { content } of model.stream(REQUEST, new AbortController().signal)) pieces.push(content);
  } catch (error) {
    pieces.push(`! ${(error as Error).message}`);
  }
  return pieces;
}

test("the usage is the sum of the turns, by the provider's figures", async () => {
  const { model, usage } = meter(100, { pieces: ["a"], usage: usageOf(1) }, { pieces: ["b", "c"], usage: usageOf(2) });
  await read(model);
  await read(model);
  expect(usage()).toEqual({ input_tokens: 10, output_tokens: 3, total_tokens: 13 });
});

test("a turn that breaks off is estimated from the text that arrived", async () => {
  const { model, usage } = meter(100, { pieces: ["one", " two"], error: new Error("broken") });
  expect(await read(model)).toEqual(["one", " two", "! broken"]);
  expect(usage()).toMatchObject({ output_tokens: 2 });
  expect(usage().input_tokens).toBeGreaterThan(0);
});

test("an answer is cut where the budget is exhausted", async () => {
  const { model } = meter(2, { pieces: ["a", "b", "c", "d"], usage: usageOf(4) });
  expect(await read(model)).toEqual(["a", "b", "! The job reached its limit max_output_tokens (2)."]);
});

test("hidden tokens and large pieces of text count against the budget", async () => {
  const hidden = meter(10, { pieces: ["a"], usage: usageOf(11) });
  expect((await read(hidden.model)).at(-1)).toMatch(/max_output_tokens/);
  const large = meter(10, { pieces: ["many words in one single piece of the stream ".repeat(3)], usage: usageOf(1) });
  expect(await read(large.model)).toEqual([expect.stringMatching(/^! .*max_output_tokens/)]);
});

test("an answer of exactly the budgeted tokens is not cut", async () => {
  const { model, budget } = meter(3, { pieces: ["a", "b", "c"], usage: usageOf(3) });
  expect(await read(model)).toEqual(["a", "b", "c"]);
  expect(budget.left().outputTokens).toBe(0);
});

test("pieces smaller than a token are corrected by the provider's figure at the end of the turn", async () => {
  const { model, budget } = meter(10, { pieces: [..."letters"], usage: usageOf(2) });
  await read(model);
  expect(budget.left().outputTokens).toBe(8);
});

test("a text that equals the latest turn is counted by the provider's figure, any other by the tokenizer", async () => {
  const { model, tokensOf } = meter(100, { pieces: ["Hello", " there"], usage: usageOf(7) });
  await read(model);
  expect(tokensOf("Hello there")).toBe(7);
  expect(tokensOf("Hello")).toBe(1);
});

test.each([0, 90])(
  "an implausible figure of %i output tokens for two words is replaced by the tokenizer's count",
  async (count) => {
    const { model, tokensOf } = meter(100, { pieces: ["Hello", " there"], usage: usageOf(count) });
    await read(model);
    expect(tokensOf("Hello there")).toBe(2);
  },
);

test("a reported turn counts as one, with its tokens, and beyond a limit it throws", () => {
  const exhausted: string[] = [];
  const limits = { ...DEFAULT_LIMITS, max_output_tokens: 10, max_steps: 2, deadline_ms: 1_000 };
  const metered = createMeter(createBudget(limits, ({ message }) => exhausted.push(message)));
  metered.report({ input_tokens: 5, output_tokens: 4 });
  metered.report({ input_tokens: 5, output_tokens: 6, total_tokens: 20 });
  expect(metered.usage()).toEqual({ input_tokens: 10, output_tokens: 10, total_tokens: 29 });
  expect(() => metered.report({ input_tokens: 1, output_tokens: 1 })).toThrow("limit max_output_tokens (10)");
  expect(metered.usage()).toEqual({ input_tokens: 11, output_tokens: 11, total_tokens: 31 });
  expect(exhausted).toHaveLength(2);
});

test.each([
  ["a negative number", { input_tokens: -1, output_tokens: 1 }, "input_tokens"],
  ["a fraction", { input_tokens: 1, output_tokens: 0.5 }, "output_tokens"],
  ["no number", { input_tokens: 1, output_tokens: Number.NaN }, "output_tokens"],
  ["a text", { input_tokens: "1" as never, output_tokens: 1 }, "input_tokens"],
  ["nothing", undefined as never, "usage"],
  ["a total of another kind", { input_tokens: 1, output_tokens: 1, total_tokens: 1e300 }, "total_tokens"],
])("usage that is %s is refused and not counted", (_, usage, field) => {
  const metered = createMeter(createBudget({ ...DEFAULT_LIMITS, deadline_ms: 1_000 }, () => {}));
  expect(() => metered.report(usage)).toThrow(field);
  expect(metered.usage()).toEqual({ input_tokens: 0, output_tokens: 0, total_tokens: 0 });
});

test("a turn is a step: when its first piece came, and how it ended", async () => {
  const told: unknown[] = [];
  const step: OpenStep = {
    ...{ firstToken: () => told.push("first token"), drop: () => {}, steps: NO_STEPS },
    end: (...end) => told.push(end),
  };
  const begin = ({ model }: { readonly model?: string | undefined }) => {
    told.push(`begun: ${model}`);
    return step;
  };
  const budget = createBudget({ ...DEFAULT_LIMITS, deadline_ms: 1_000 }, () => {});
  const script = createScriptedModel(
    { pieces: ["a", "b"], usage: usageOf(2) },
    { pieces: ["c"], error: new Error("broken") },
    { pieces: ["d", "e"], usage: usageOf(2) },
  );
  const model = createMeter(budget).wrap(script, undefined, begin);
  expect(await read(model)).toEqual(["a", "b"]);
  expect(told.splice(0)).toEqual(["begun: undefined", "first token", ["completed", { usage: usageOf(2) }]]);
  expect(await read(model)).toEqual(["c", "! broken"]);
  expect(told.splice(0)).toEqual(["begun: undefined", "first token", ["failed"]]);
  const stopping = new AbortController();
  const left = model.stream({ ...REQUEST, model: "named" }, stopping.signal);
  await left.next();
  stopping.abort();
  await left.return(undefined as never);
  expect(told).toEqual(["begun: named", "first token", ["interrupted"]]);
});
