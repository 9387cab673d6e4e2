/** Which messages of one turn of a session go to the model: whole turns only, and never a call without its result. */
import type { MessageRow } from "@agent-paas/shared/db/rows.ts";

type Counted = Pick<MessageRow, "role" | "tokens_used">;

/** Those that agents know; a later version may write others. */
const isSpoken = ({ role }: Counted): boolean => role === "user" || role === "assistant";

/** Tokens of what cannot be left out of a turn. */
export const spokenTokens = (turn: readonly Counted[]): number => tokensOf(turn.filter(isSpoken));

/**
 * A turn is a question with all that follows it up to the next one. It fits whole, or without its tool calls, or not at
 * all: then null.
 */
export function fitTurn<Row extends Counted>(
  turn: readonly Row[],
  maxTokens: number,
  withCalls: boolean,
): Row[] | null {
  const whole = turn.filter((message) => isSpoken(message) || (withCalls && message.role === "tool"));
  if (tokensOf(whole) <= maxTokens) return whole;
  const spoken = turn.filter(isSpoken);
  return tokensOf(spoken) <= maxTokens ? spoken : null;
}

export const tokensOf = (messages: readonly Counted[]): number =>
  messages.reduce((sum, { tokens_used }) => sum + tokens_used, 0);
