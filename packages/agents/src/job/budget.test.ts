import { DEFAULT_LIMITS } from "@agent-paas/shared/contract/limits.ts";
import { expect, test } from "vitest";
import { createBudget } from "./budget.ts";

const LIMITS = { ...DEFAULT_LIMITS, max_steps: 2, max_tool_calls: 0, max_output_tokens: 10, deadline_ms: 1_000 };

test("what is within the limits may be taken, what is beyond ends the job and is told once to whoever stops it", () => {
  const told: string[] = [];
  const budget = createBudget(LIMITS, ({ message }) => told.push(message));
  budget.takeModelTurn();
  budget.takeModelTurn();
  budget.takeOutputTokens(10);
  expect(budget.left()).toEqual({ steps: 0, toolCalls: 0, outputTokens: 0 });
  expect(told).toEqual([]);
  expect(() => budget.takeModelTurn()).toThrow(expect.objectContaining({ code: "budget_exhausted", retryable: false }));
  expect(told).toEqual(["The job reached its limit max_steps (2)."]);
});

test("a limit of none lets no call through", () => {
  const budget = createBudget(LIMITS, () => {});
  expect(() => budget.takeToolCall()).toThrow("max_tool_calls (0)");
});
