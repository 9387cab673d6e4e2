/** Usage that agents report themselves, because they ask a model by a library of their own. */
import type { Usage } from "@agent-paas/shared/contract/jobs.ts";
import { usageOfTurn } from "./model.ts";

export type ReportedUsage = {
  readonly input_tokens: number;
  readonly output_tokens: number;
  /** Default: both together. */
  readonly total_tokens?: number | undefined;
  /** The name of the model that answered. Default: it is not told. */
  readonly model?: string | undefined;
};

export type UsageReport = {
  /**
   * Adds one model turn with its tokens to the job's usage and takes it from the job's budget. Throws
   * `budget_exhausted` beyond a limit, which also ends the run of an agent that ignores the error; a `TypeError` for
   * what is no usage.
   */
  report(usage: ReportedUsage): void;
};

/** A larger number is a mistake, and would spoil the sum. */
const MAX_TOKENS = 2_000_000_000;
const MAX_NAME_CHARS = 200;

export function readReportedUsage(reported: ReportedUsage): Usage {
  if (typeof reported !== "object" || reported === null) throw new TypeError("usage.report: it takes the turn's usage");
  const { input_tokens, output_tokens, total_tokens = input_tokens + output_tokens, model } = reported;
  for (const [name, count] of Object.entries({ input_tokens, output_tokens, total_tokens })) {
    if (Number.isInteger(count) && count >= 0 && count <= MAX_TOKENS) continue;
    throw new TypeError(`usage.report: ${name} must be a whole number of tokens`);
  }
  if (model !== undefined && (typeof model !== "string" || model === "" || model.length > MAX_NAME_CHARS)) {
    throw new TypeError("usage.report: model must be the name of a model");
  }
  const usage = { input_tokens, output_tokens, total_tokens };
  return usageOfTurn(model === undefined ? { usage } : { usage, model });
}
