/**
 * The budget of one job: what it may use of model turns, tool calls and output tokens, over all agents that it
 * delegates to and all its attempts, of which former ones count by what the journal has of them. Whoever uses something
 * says so first; what is too much ends the job with `budget_exhausted`, whatever the agent makes of it.
 */
import type { Limits } from "@agent-paas/shared/contract/limits.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";

/** How much of it: model turns, tool calls, output tokens. */
export type BudgetAmounts = { readonly steps: number; readonly toolCalls: number; readonly outputTokens: number };

export type Budget = {
  readonly limits: Limits;
  /** How much is left. */
  left(): BudgetAmounts;
};

/** The budget with its purse: only the platform's own model and tools draw from it. */
export type SpendableBudget = Budget & {
  /** Takes what former attempts of the job have used, which ends nothing by itself. */
  resume(used: BudgetAmounts): void;
  /** Each throws `budget_exhausted` when nothing is left. */
  takeModelTurn(): void;
  takeToolCall(): void;
  /** A negative count gives back what was taken by an estimate. */
  takeOutputTokens(count: number): void;
};

/** `onExhausted` hears of the first limit that is reached, before the taker does. */
export function createBudget(limits: Limits, onExhausted: (error: PlatformError) => void): SpendableBudget {
  const used = { max_steps: 0, max_tool_calls: 0, max_output_tokens: 0 };
  const take = (limit: keyof typeof used, count: number) => {
    used[limit] += count;
    if (used[limit] <= limits[limit]) return;
    const error = budgetExhausted(limit, limits[limit]);
    onExhausted(error);
    throw error;
  };
  const left = (limit: keyof typeof used) => Math.max(0, limits[limit] - used[limit]);
  return {
    limits,
    left: () => ({
      steps: left("max_steps"),
      toolCalls: left("max_tool_calls"),
      outputTokens: left("max_output_tokens"),
    }),
    resume({ steps, toolCalls, outputTokens }) {
      used.max_steps += steps;
      used.max_tool_calls += toolCalls;
      used.max_output_tokens += outputTokens;
    },
    takeModelTurn: () => take("max_steps", 1),
    takeToolCall: () => take("max_tool_calls", 1),
    takeOutputTokens: (count) => take("max_output_tokens", count),
  };
}

export const budgetExhausted = (limit: keyof Limits, value: number): PlatformError =>
  new PlatformError("budget_exhausted", { message: `The job reached its limit ${limit} (${value}).` });
