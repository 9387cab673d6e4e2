import { DEFAULT_LIMITS } from "@agent-paas/shared/contract/limits.ts";
import { expect, test } from "vitest";
import { createBudget } from "./budget.ts";

const LIMITS = { ...DEFAULT_LIMITS, max_steps: 2, max_tool_calls: 0, max_output_tokens: 10, deadline_ms: 1_000 };

test("usage within the limits is taken, and usage beyond a limit throws and calls onExhausted", () => {
  const exhausted: string[] = [];
  const budget = createBudget(LIMITS, ({ message }) => exhausted.push(message));
  budget.takeModelTurn();
  budget.takeModelTurn();
  budget.takeOutputTokens(10);
  expect(budget.left()).toEqual({ modelTurns: 0, toolCalls: 0, outputTokens: 0 });
  expect(exhausted).toEqual([]);
  expect(() => budget.takeModelTurn()).toThrow(expect.objectContaining({ code: "budget_exhausted", retryable: false }));
  expect(exhausted).toEqual(["The job reached its limit max_steps (2)."]);
});

test("a limit of 0 refuses the first call", () => {
  const budget = createBudget(LIMITS, () => {});
  expect(() => budget.takeToolCall()).toThrow("max_tool_calls (0)");
});

test("usage that is carried over counts against the limits and does not throw by itself", () => {
  const exhausted: string[] = [];
  const budget = createBudget(LIMITS, ({ message }) => exhausted.push(message));
  budget.carryOver({ modelTurns: 1, toolCalls: 3, outputTokens: 4 });
  expect(budget.left()).toEqual({ modelTurns: 1, toolCalls: 0, outputTokens: 6 });
  expect(exhausted).toEqual([]);
  expect(() => budget.takeOutputTokens(7)).toThrow("max_output_tokens (10)");
});
