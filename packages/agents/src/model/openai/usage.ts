/** The usage that a provider reports, in whatever form. */
import type { Usage } from "@agent-paas/shared/contract/jobs.ts";
import type OpenAI from "openai";

/** Null when a count is missing or no number: the caller then estimates, because NaN would disable the budget. */
export function readUsage({
  prompt_tokens,
  completion_tokens,
  total_tokens,
}: Partial<OpenAI.CompletionUsage>): Usage | null {
  if (typeof prompt_tokens !== "number" || typeof completion_tokens !== "number") return null;
  return {
    input_tokens: prompt_tokens,
    output_tokens: completion_tokens,
    total_tokens: total_tokens ?? prompt_tokens + completion_tokens,
  };
}
