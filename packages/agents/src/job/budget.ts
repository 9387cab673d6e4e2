/**
 * The budget of one job: what it may use of model turns, tool calls and output tokens, over all its agents and all its
 * attempts. Usage is taken before the work it pays for; taking more than is left ends the job with `budget_exhausted`,
 * even when the agent catches the error. The usage of earlier attempts is counted from the journal.
 */
import { type Limits, limitReached } from "@agent-paas/shared/contract/limits.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";

export type BudgetAmounts = {
  readonly modelTurns: number;
  readonly toolCalls: number;
  readonly outputTokens: number;
};

export type Budget = {
  readonly limits: Limits;
  /** What is left of each amount, at least 0. */
  left(): BudgetAmounts;
};

/** The budget as the platform's own model and tools see it: only they take from it. */
export type SpendableBudget = Budget & {
  /** Counts what earlier attempts of the job used. Exceeding a limit by this alone does not end the job. */
  carryOver(previousUsage: BudgetAmounts): void;
  /** Each throws `budget_exhausted` when nothing is left. */
  takeModelTurn(): void;
  takeToolCall(): void;
  /** A negative count returns what an estimate took too much. */
  takeOutputTokens(count: number): void;
};

/** `onExhausted` is called for a limit that is exceeded, before the error reaches the code that took too much. */
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
      modelTurns: left("max_steps"),
      toolCalls: left("max_tool_calls"),
      outputTokens: left("max_output_tokens"),
    }),
    carryOver({ modelTurns, toolCalls, outputTokens }) {
      used.max_steps += modelTurns;
      used.max_tool_calls += toolCalls;
      used.max_output_tokens += outputTokens;
    },
    takeModelTurn: () => take("max_steps", 1),
    takeToolCall: () => take("max_tool_calls", 1),
    takeOutputTokens: (count) => take("max_output_tokens", count),
  };
}

export const budgetExhausted = (limit: keyof Limits, value: number): PlatformError =>
  new PlatformError("budget_exhausted", { message: limitReached(limit, value) });
