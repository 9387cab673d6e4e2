/** What one job may use, over all its attempts and the agents that it delegates to. */
import { z } from "zod";
import { DAY } from "../time.ts";

/** As requests give them; what is absent falls back to the platform's own. */
export const LimitsSchema = z.strictObject({
  /** Model turns. */
  max_steps: z.int().min(1).max(1_000).optional(),
  max_tool_calls: z.int().min(0).max(1_000).optional(),
  /** Tokens that models write, over all turns. */
  max_output_tokens: z.int().min(1).max(1_000_000).optional(),
  /** From the job's first start, ms; at most the platform's own limit for the kind of job holds. */
  deadline_ms: z.int().min(100).max(DAY).optional(),
});

export type Limits = {
  readonly max_steps: number;
  readonly max_tool_calls: number;
  readonly max_output_tokens: number;
  readonly deadline_ms: number;
};

/** The platform's own, but for the deadline, which is a setting of the worker. */
export const DEFAULT_LIMITS = { max_steps: 20, max_tool_calls: 40, max_output_tokens: 32_768 } as const;

/** What holds for a job: its own limits, and the platform's where it has none. */
export const resolveLimits = (own: z.output<typeof LimitsSchema>, deadlineMs: number): Limits => ({
  max_steps: own.max_steps ?? DEFAULT_LIMITS.max_steps,
  max_tool_calls: own.max_tool_calls ?? DEFAULT_LIMITS.max_tool_calls,
  max_output_tokens: own.max_output_tokens ?? DEFAULT_LIMITS.max_output_tokens,
  deadline_ms: Math.min(own.deadline_ms ?? deadlineMs, deadlineMs),
});
