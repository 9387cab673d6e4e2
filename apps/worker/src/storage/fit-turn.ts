/** Which messages of one turn of a session go to the model: whole turns only, and never a call without its result. */
import type { MessageRow } from "@agent-paas/shared/db/rows.ts";

type Counted = Pick<MessageRow, "role" | "content" | "tokens_used"> & {
  /** The calls with which the message's job ended, for the client; null: none. */
  readonly open_turn: { readonly tokens: number } | null;
};

/**
 * Takes the messages of one turn, newest first: a question with all that follows it up to the next one. It fits whole,
 * or without its tool calls, or not at all. Holds no more than fits.
 * @param maxTokens a message counts at least one.
 */
export function createTurnFit<Row extends Counted>(maxTokens: number, withCalls: boolean) {
  const whole = createPile<Row>(withCalls ? maxTokens : -1);
  const spoken = createPile<Row>(maxTokens);
  return {
    /** Messages of roles that nobody knows are left out; a later version may write them. */
    add(message: Row): void {
      const isSpoken = message.role === "user" || message.role === "assistant";
      if (isSpoken || message.role === "tool") whole.add(message);
      const isSilent = message.role === "assistant" && message.content === "";
      if (isSpoken && !isSilent) spoken.add(message.open_turn === null ? message : { ...message, open_turn: null });
    },

    /** Whether the turn may fit with its calls. */
    takesCalls: (): boolean => !whole.isOver(),
    isOver: (): boolean => spoken.isOver(),

    /** Newest first. */
    fitting: (): { readonly rows: readonly Row[]; readonly tokens: number } =>
      (whole.isOver() ? spoken : whole).taken(),
  };
}

/** Rows and their tokens, and no rows any more once these are too many. */
function createPile<Row extends Counted>(maxTokens: number) {
  let rows: Row[] = [];
  let tokens = 0;
  const isOver = () => tokens > maxTokens;
  return {
    isOver,
    add(row: Row): void {
      tokens += Math.max(row.tokens_used + (row.open_turn?.tokens ?? 0), 1);
      if (isOver()) rows = [];
      else rows.push(row);
    },
    taken: () => ({ rows, tokens }),
  };
}
