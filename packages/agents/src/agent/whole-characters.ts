/**
 * Text as it may be shown, piece by piece. A provider or an agent may cut a character beyond 16 bits in two; its first
 * half waits for the second, because each half alone would be shown as a replacement character.
 */
import { isHighSurrogate } from "@agent-paas/shared/text.ts";
import { type AgentEvent, text, thought } from "./events.ts";

export type WholeCharacters = {
  /** The event to show now; null if all of it waits. */
  show(event: AgentEvent): AgentEvent | null;
  /** What still waits at the end, now without a second half. */
  rest(): AgentEvent[];
};

export function createWholeCharacters(): WholeCharacters {
  const held = { text: "", reasoning: "" };

  /** Null: all of the piece waits. */
  function join(kind: keyof typeof held, piece: string): string | null {
    const whole = held[kind] + piece;
    const isCut = whole !== "" && isHighSurrogate(whole.charCodeAt(whole.length - 1));
    held[kind] = isCut ? whole.slice(-1) : "";
    const shown = isCut ? whole.slice(0, -1) : whole;
    return shown === "" && isCut ? null : shown.toWellFormed();
  }

  return {
    show(event) {
      const { type, content } = event.data;
      if (event.event === "message" && type === "reset") held.text = "";
      const kind = event.event === "message" ? "text" : type === "reasoning" ? "reasoning" : null;
      if (kind === null) return event;
      const shown = join(kind, content);
      if (shown === content) return event;
      // A reset has its effect even if there is nothing to show yet.
      if (shown === null && type !== "reset") return null;
      return { ...event, data: { ...event.data, content: shown ?? "" } } as AgentEvent;
    },

    rest() {
      const left = [
        ...(held.reasoning === "" ? [] : [thought("reasoning", held.reasoning.toWellFormed())]),
        ...(held.text === "" ? [] : [text(held.text.toWellFormed())]),
      ];
      held.text = held.reasoning = "";
      return left;
    },
  };
}
