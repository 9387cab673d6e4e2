/** Which messages of one turn of a session go to the model: whole turns only, and never a call without its result. */
import type { MessageRow } from "@agent-paas/shared/db/rows.ts";

type Counted = Pick<MessageRow, "role" | "tokens_used"> & {
  /** The calls with which the message's job ended, for the client; null: none. */
  readonly open_turn: { readonly tokens: number } | null;
};

/** Those that agents know; a later version may write others. */
const isSpoken = ({ role }: Counted): boolean => role === "user" || role === "assistant";

/** Tokens of what cannot be left out of a turn. */
export const spokenTokens = (turn: readonly Counted[]): number => tokensOf(spokenOf(turn));

/**
 * A turn is a question with all that follows it up to the next one. It fits whole, or without its tool calls, or not at
 * all: then null.
 */
export function fitTurn<Row extends Counted>(
  turn: readonly Row[],
  maxTokens: number,
  withCalls: boolean,
): Row[] | null {
  const whole = turn.filter((message) => isSpoken(message) || message.role === "tool");
  if (withCalls && tokensOf(whole) <= maxTokens) return whole;
  const spoken = spokenOf(turn);
  return tokensOf(spoken) <= maxTokens ? spoken : null;
}

export const tokensOf = (messages: readonly Counted[]): number =>
  messages.reduce((sum, { tokens_used, open_turn }) => sum + tokens_used + (open_turn?.tokens ?? 0), 0);

const spokenOf = <Row extends Counted>(turn: readonly Row[]): Row[] =>
  turn.filter(isSpoken).map((message) => (message.open_turn === null ? message : { ...message, open_turn: null }));
