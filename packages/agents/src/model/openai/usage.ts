/** The usage that a provider reports, in whatever form. */

import type { Usage } from "@agent-paas/shared/contract/jobs.ts";
import type { Fields } from "@agent-paas/shared/json/fields.ts";

/** Null: not told, or not to be believed. */
export type ReportedUsage = {
  readonly input: number | null;
  readonly output: number | null;
  readonly total: number | null;
};

export const NOT_REPORTED: ReportedUsage = { input: null, output: null, total: null };

/** OpenAI's names, those of Anthropic and the Responses API, Ollama's, Gemini's. */
const NAMES = {
  input: ["prompt_tokens", "input_tokens", "promptTokens", "prompt_eval_count", "promptTokenCount"],
  output: ["completion_tokens", "output_tokens", "completionTokens", "eval_count", "candidatesTokenCount"],
  total: ["total_tokens", "totalTokens", "totalTokenCount"],
} as const;

/** More tokens than any context has. */
const MAX_TOKENS = 20_000_000;

export const readUsage = (usage: Fields): ReportedUsage => ({
  input: countIn(usage, NAMES.input),
  output: countIn(usage, NAMES.output),
  total: countIn(usage, NAMES.total),
});

function countIn(usage: Fields, names: readonly string[]): number | null {
  for (const name of names) {
    const value = usage[name];
    const count = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
    // Zero says nothing: servers that do not count send it.
    if (typeof count === "number" && Number.isInteger(count) && count > 0 && count <= MAX_TOKENS) return count;
  }
  return null;
}

/** Reports of one turn are cumulative, and one may leave out what another says: the latest figure counts. */
export const laterUsage = (before: ReportedUsage, later: ReportedUsage): ReportedUsage => ({
  input: later.input ?? before.input,
  output: later.output ?? before.output,
  total: later.total ?? before.total,
});

/** `estimate` stands in for what is missing, because NaN or a wild figure would disable the budget. */
export function completeUsage({ input, output, total }: ReportedUsage, estimate: () => Usage): Usage {
  if (input !== null && output !== null) {
    const sum = input + output;
    // A higher total is right: some providers leave hidden reasoning out of the output.
    return { input_tokens: input, output_tokens: output, total_tokens: Math.max(sum, total ?? 0) };
  }
  const { input_tokens, output_tokens } = estimate();
  const known = { input_tokens: input ?? input_tokens, output_tokens: output ?? output_tokens };
  return { ...known, total_tokens: known.input_tokens + known.output_tokens };
}
