import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { generateInput } from "../../../../../test/support/arithmetic-inputs.ts";
import { evaluateReference } from "../../../../../test/support/arithmetic-reference.ts";
import { seededRandom } from "../../../../../test/support/seeded-random.ts";
import { calculator } from "../calculator.ts";
import { type ToolContext, ToolError } from "../tool.ts";

const context = {} as ToolContext;
const calculate = async (expression: string) =>
  (await calculator.call(calculator.parse({ expression }), context)) as string;

test("each of 100,000 generated inputs gives the right value or a clear error", async () => {
  const random = seededRandom(20_260_301);
  const seen = { value: 0, error: 0, unknown: 0 };
  for (let run = 0; run < 100_000; run++) {
    const { text, reference } = generateInput(random);
    const outcome = await evaluate(text);
    if (outcome.error !== undefined) {
      expect(outcome.error, text).toBeInstanceOf(ToolError);
      expect((outcome.error as ToolError).message.length, text).toBeGreaterThan(15);
    }

    const expected = text.length > 1_000 ? "error" : evaluateReference(reference);
    if (expected === "unknown") {
      if (outcome.value !== undefined) expect(Number.isFinite(outcome.value), text).toBe(true);
    } else if (expected === "error") {
      expect(outcome.error, `${text} gave ${outcome.value}`).toBeInstanceOf(ToolError);
    } else {
      expect(outcome.value, `${text} is ${expected}, not ${outcome.error}`).toBeDefined();
      expect(relativeError(outcome.value ?? Number.NaN, expected), text).toBeLessThan(1e-12);
    }
    seen[typeof expected === "number" ? "value" : expected]++;
    // Lets the timers of the test runner run, which microtasks alone would not.
    if (run % 1_000 === 0) await setImmediate();
  }
  expect(seen.value, JSON.stringify(seen)).toBeGreaterThan(30_000);
  expect(seen.error, JSON.stringify(seen)).toBeGreaterThan(10_000);
}, 120_000);

type Outcome = { readonly value?: number; readonly error?: unknown };

async function evaluate(text: string): Promise<Outcome> {
  try {
    return { value: Number(await calculate(text)) };
  } catch (error) {
    return { error };
  }
}

const relativeError = (value: number, expected: number): number =>
  value === expected ? 0 : Math.abs(value - expected) / Math.max(Math.abs(value), Math.abs(expected));
