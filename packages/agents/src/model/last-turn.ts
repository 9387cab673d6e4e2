/** How the last model turn of one agent ended: of a turn that the journal replays as well, and of none that is open. */
import type { ModelTurn } from "./model.ts";

/** The ends that people are told of: the answer is not what it might have been. */
const MARKED_ENDS = ["length", "content_filter", "refusal"] as const;
export type MarkedEnd = (typeof MARKED_ENDS)[number];

export const isMarked = (finishReason: string | null | undefined): finishReason is MarkedEnd =>
  (MARKED_ENDS as readonly unknown[]).includes(finishReason);

export type LastTurn = {
  readonly finishReason: string;
  /** The model wrote nothing and called no tools. */
  readonly isEmpty: boolean;
};

export type TurnWatch = {
  begun(): void;
  ended(turn: ModelTurn): void;
  /** Null: no turn has ended, or the last one is open or broke off. */
  last(): LastTurn | null;
};

export function createTurnWatch(): TurnWatch {
  let last: LastTurn | null = null;
  return {
    begun() {
      last = null;
    },
    ended({ content, toolCalls, finishReason }) {
      last = { finishReason, isEmpty: content.trim() === "" && toolCalls.length === 0 };
    },
    last: () => last,
  };
}
