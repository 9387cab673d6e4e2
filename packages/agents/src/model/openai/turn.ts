/** Puts the pieces of an answer together to a turn, and says what is to be shown as they come. */
import type { Usage } from "@agent-paas/shared/contract/jobs.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { ModelChunk, ModelTurn, ToolCall } from "../model.ts";
import type { Finish } from "./finish-reasons.ts";
import type { ContentType, Piece } from "./pieces.ts";
import { createThinkTags } from "./think-tags.ts";
import { createToolCalls, MAX_TOOL_CALLS } from "./tool-calls.ts";
import { completeUsage, laterUsage, NOT_REPORTED } from "./usage.ts";

/** Characters of one turn, reasoning and arguments included: more than any model writes at once. */
const MAX_TURN_CHARS = 4 * 1024 * 1024;

export type Turn = {
  /** Whether the pieces have something that the model wrote. Throws `budget_exhausted` when the turn grows too long. */
  add(pieces: readonly Piece[]): boolean;
  /** What is to be shown and has not been taken. */
  take(): readonly ModelChunk[];
  /** What the provider said of its failure; null: none. */
  failure(): { readonly said: unknown } | null;
  /** The provider has said that the turn has ended: what may still come is its usage. */
  hasEnded(): boolean;
  /** `estimate` counts what the provider has not reported. Throws when the turn has not ended or failed. */
  finish(estimate: (text: string, toolCalls: readonly ToolCall[]) => Usage): ModelTurn;
};

export function createTurn(): Turn {
  let chunks: ModelChunk[] = [];
  const calls = createToolCalls();
  let content = "";
  let reasoning = "";
  let hasRefused = false;
  let finish: Finish | null = null;
  let usage = NOT_REPORTED;
  let failure: { readonly said: unknown } | null = null;
  let isAtEnd = false;
  let size = 0;

  const tags = createThinkTags({
    piece(type, piece) {
      if (type === "text") content += piece;
      else reasoning += piece;
      chunks.push({ type, content: piece });
    },
    textWasReasoning() {
      reasoning += content;
      content = "";
      chunks.push({ type: "reset", content: "" });
    },
  });

  function grow(chars: number): void {
    size += chars;
    if (size <= MAX_TURN_CHARS && calls.count() <= MAX_TOOL_CALLS) return;
    throw new PlatformError("budget_exhausted", {
      message: `The model's turn exceeds ${MAX_TURN_CHARS} characters or ${MAX_TOOL_CALLS} tool calls.`,
    });
  }

  function addContent(type: ContentType, text: string): void {
    grow(text.length);
    if (type === "text") {
      tags.add(text);
    } else if (type === "marked_text") {
      tags.addThought(text);
    } else if (type === "reasoning") {
      reasoning += text;
      chunks.push({ type, content: text });
    } else {
      hasRefused = true;
      tags.end();
      content += text;
      chunks.push({ type: "text", content: text });
    }
  }

  /** Whether the model wrote it. */
  function addPiece(piece: Piece): boolean {
    switch (piece.type) {
      case "tool_call":
        calls.add(piece.call);
        grow(piece.call.arguments.length + piece.call.name.length + JSON.stringify(piece.call.extra).length);
        return true;
      case "usage":
        usage = laterUsage(usage, piece.usage);
        return false;
      case "finish":
        finish = piece.finish;
        return false;
      case "failure":
        failure ??= { said: piece.failure };
        return false;
      case "end":
        isAtEnd = true;
        return false;
      default:
        addContent(piece.type, piece.content);
        return true;
    }
  }

  return {
    add(pieces) {
      let isWritten = false;
      for (const piece of pieces) isWritten = addPiece(piece) || isWritten;
      return isWritten;
    },

    take() {
      const taken = chunks;
      if (taken.length > 0) chunks = [];
      return taken;
    },

    failure: () => failure,
    hasEnded: () => finish !== null,

    finish(estimate) {
      tags.end();
      if (finish?.isFailure) throw new PlatformError("model_unavailable", { cause: new Error(finish.reason) });
      const isSilent = content === "" && reasoning === "" && calls.count() === 0;
      if (finish === null && (!isAtEnd || isSilent)) throw new PlatformError("model_stream_broken");
      const reason = finish?.reason ?? "stop";
      // What a filter cuts is not what the model asked for.
      const toolCalls = reason === "content_filter" ? [] : calls.calls(reason === "length");
      return {
        content,
        toolCalls,
        ...(reasoning === "" ? {} : { reasoning }),
        finishReason: endOf(reason, hasRefused, toolCalls.length > 0),
        usage: completeUsage(usage, () => estimate(reasoning + content, toolCalls)),
      };
    },
  };
}

/** Providers say `stop` for turns that call tools and for refusals. */
function endOf(reason: string, hasRefused: boolean, hasCalls: boolean): string {
  if (hasCalls) return reason === "length" ? reason : "tool_calls";
  return hasRefused && reason === "stop" ? "refusal" : reason;
}
