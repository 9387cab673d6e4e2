/**
 * How an agent's answer ended. It ends as the agent's last model turn did, unless the agent says otherwise; an answer
 * that the model left empty is a failure.
 */
import type { Locale } from "@agent-paas/shared/contract/locale.ts";
import type { ErrorCode } from "@agent-paas/shared/errors/codes.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { isMarked, type LastTurn, type MarkedEnd, type TurnWatch } from "../model/last-turn.ts";
import { AGENT_TEXTS } from "./agent-texts.ts";
import { type AgentEvent, type AgentOutcome, thought } from "./events.ts";

/** The code of a job that has no answer because it ended so. */
const FAILURES = {
  length: "model_answer_empty",
  content_filter: "model_content_filtered",
  refusal: "model_refused",
} as const satisfies Record<MarkedEnd, ErrorCode>;

/** `said`: what the agent returned, a plugin perhaps anything. Null: no model turn has ended. */
export const finishReasonOf = (said: unknown, lastTurn: LastTurn | null): string | null =>
  typeof said === "string" && said !== "" ? said : (lastTurn?.finishReason ?? null);

/** A thought about the end of an answer, if there is something to say. */
export function* showEnd(finishReason: string | null, locale: Locale): Generator<AgentEvent, void> {
  if (!isMarked(finishReason)) return;
  yield thought("status", AGENT_TEXTS[locale].ended[finishReason], { finish_reason: finishReason });
}

/**
 * Ends an agent's answer; returns how it ended. Throws `model_refused`, `model_content_filtered` or
 * `model_answer_empty` when there is neither text nor data because the model gave none. An agent that did not want the
 * model's text may well end without an answer.
 */
export function* concludeAnswer(
  content: string,
  { finishReason: said, data }: AgentOutcome,
  { turns, locale }: { readonly turns: TurnWatch; readonly locale: Locale },
): Generator<AgentEvent, string | null> {
  const lastTurn = turns.last();
  const finishReason = finishReasonOf(said, lastTurn);
  yield* showEnd(finishReason, locale);
  if (content.trim() !== "" || data !== undefined) return finishReason;
  if (isMarked(finishReason)) throw noAnswer(finishReason);
  if (lastTurn?.isEmpty) throw new PlatformError("model_answer_empty");
  return finishReason;
}

/** The failure of a job whose answer is missing, or of no use, because it ended so. */
export const noAnswer = (end: MarkedEnd): PlatformError => new PlatformError(FAILURES[end], MORE_WORDS[end]);

const MORE_WORDS: Partial<Record<MarkedEnd, { readonly message: string }>> = {
  length: {
    message: "The model reached its limit of output tokens before it wrote an answer; a larger max_tokens may help.",
  },
};
