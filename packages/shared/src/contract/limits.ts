/**
 * How much one job may use, over all its attempts and children. A job that reaches a limit fails with
 * `budget_exhausted`.
 */
import { z } from "zod";
import { DAY } from "../time.ts";

/** The `limits` of a request. A limit that is absent has the platform's default: see `DEFAULT_LIMITS`. */
export const LimitsSchema = z.strictObject({
  max_steps: z.int().min(1).max(1_000).optional().describe("Model turns."),
  max_tool_calls: z.int().min(0).max(1_000).optional().describe("Tool calls. 0: the job may not call tools."),
  max_output_tokens: z.int().min(1).max(1_000_000).optional().describe("Output tokens of all model turns together."),
  /**
   * Independently of it, the worker's `CHAT_DEADLINE_MS` or `EXECUTE_DEADLINE_MS` limits each attempt; a job that
   * reaches that limit fails with `deadline_exceeded`.
   */
  deadline_ms: z.int().min(100).max(DAY).optional().describe("The time from the start of the first attempt, ms."),
});

/** The limits that apply to a job, in the units of `LimitsSchema`. */
export type Limits = {
  readonly max_steps: number;
  readonly max_tool_calls: number;
  readonly max_output_tokens: number;
  readonly deadline_ms: number;
};

/**
 * The limits of a job whose request sets none. There is no default for `deadline_ms`: it is a setting of the worker.
 */
export const DEFAULT_LIMITS = { max_steps: 20, max_tool_calls: 40, max_output_tokens: 32_768 } as const;

/** The request's limits, completed with the defaults. `maxDeadlineMs` is the worker's limit for the kind of job, ms. */
export const resolveLimits = (requested: z.output<typeof LimitsSchema>, maxDeadlineMs: number): Limits => ({
  max_steps: requested.max_steps ?? DEFAULT_LIMITS.max_steps,
  max_tool_calls: requested.max_tool_calls ?? DEFAULT_LIMITS.max_tool_calls,
  max_output_tokens: requested.max_output_tokens ?? DEFAULT_LIMITS.max_output_tokens,
  deadline_ms: Math.min(requested.deadline_ms ?? maxDeadlineMs, maxDeadlineMs),
});

const LIMITS = LimitsSchema.keyof().options;

const reached = (limit: keyof Limits) => `The job reached its limit ${limit} (`;

/** The message of `budget_exhausted` when a job has reached one of its limits. */
export const limitReached = (limit: keyof Limits, value: number): string => `${reached(limit)}${value}).`;

/** The limit that such a message names; null for what is no such message. */
export const reachedLimitOf = (message: string): keyof Limits | null =>
  LIMITS.find((limit) => message.startsWith(reached(limit))) ?? null;
