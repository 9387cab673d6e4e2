/** Puts the pieces of an answer together to a turn, and says what is to be shown as they come. */
import type { Usage } from "@agent-paas/shared/contract/jobs.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { GrowingText } from "@agent-paas/shared/growing-text.ts";
import type { ModelChunk, ModelTurn, ProviderExtra, ToolCall } from "../model.ts";
import type { Finish } from "./finish-reasons.ts";
import type { ContentType, Piece, PushPiece } from "./pieces.ts";
import { createThinkTags } from "./think-tags.ts";
import { createToolCalls, MAX_TOOL_CALLS } from "./tool-calls.ts";
import { CONTENT, createTurnExtra } from "./turn-extra.ts";
import { completeUsage, laterUsage, NOT_REPORTED } from "./usage.ts";

/** Characters of one turn, reasoning and arguments included: more than any model writes at once. */
const MAX_TURN_CHARS = 4 * 1024 * 1024;

export type Turn = {
  /** Throws `budget_exhausted` when the turn grows too long. */
  readonly add: PushPiece;
  /** Whether the model has written something since this was asked last. */
  hasGrown(): boolean;
  /** Whether the model has written anything. */
  hasBegun(): boolean;
  /** What the provider said of its failure; null: none. */
  failure(): { readonly said: unknown } | null;
  /** The provider has said that the turn has ended: what may still come is its usage. */
  hasEnded(): boolean;
  /** `estimate` counts what the provider has not reported. Throws when the turn has not ended or failed. */
  finish(estimate: (text: string, toolCalls: readonly ToolCall[]) => Usage): ModelTurn;
};

export type TurnOptions = {
  /** Gets what is to be shown, as it comes. */
  readonly show: (chunk: ModelChunk) => void;
  /** Who says it. */
  readonly origin: string;
  /** Whether thoughts that come in tags go back in them, byte for byte. */
  readonly keepsTags: boolean;
};

export function createTurn({ show, origin, keepsTags }: TurnOptions): Turn {
  const calls = createToolCalls();
  const content = new GrowingText();
  const reasoning = new GrowingText();
  let hasRefused = false;
  let finish: Finish | null = null;
  let usage = NOT_REPORTED;
  let failure: { readonly said: unknown } | null = null;
  let isAtEnd = false;
  let size = 0;
  let seen = 0;
  /** The text with its tags. */
  const tagged = new GrowingText();
  const extra = createTurnExtra();

  const tags = createThinkTags({
    piece(type, piece) {
      if (type === "text") content.append(piece);
      else reasoning.append(piece);
      show({ type, content: piece });
    },
    textWasReasoning() {
      const thoughts = content.toString();
      reasoning.append(thoughts);
      content.replace("");
      show({ type: "reset", content: thoughts });
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
    if (keepsTags && (type === "text" || type === "marked_text")) tagged.append(text);
    if (type === "text") {
      tags.add(text);
    } else if (type === "marked_text") {
      tags.addThought(text);
    } else if (type === "reasoning") {
      tags.thoughtsCameApart();
      reasoning.append(text);
      show({ type, content: text });
    } else {
      hasRefused = true;
      tags.end();
      content.append(text);
      show({ type: "text", content: text });
    }
  }

  function add(piece: Piece): void {
    switch (piece.type) {
      case "tool_call":
        tags.flush();
        calls.add(piece.call);
        grow(piece.call.arguments.length + piece.call.name.length + JSON.stringify(piece.call.extra).length);
        break;
      case "extra":
        extra.add(piece.name, piece.value);
        grow(JSON.stringify(piece.value).length);
        break;
      case "usage":
        usage = laterUsage(usage, piece.usage);
        break;
      case "finish":
        finish = piece.finish;
        break;
      case "failure":
        failure ??= { said: piece.failure };
        break;
      case "end":
        isAtEnd = true;
        break;
      default:
        addContent(piece.type, piece.content);
    }
  }

  function extraOf(toolCalls: readonly ToolCall[]): ProviderExtra | null {
    if (toolCalls.length === 0) return null;
    const fields = extra.fields(`${reasoning}`);
    const withTags = `${tagged}`;
    const isTagged = keepsTags && withTags !== `${content}` && fields[CONTENT] === undefined;
    const hasExtra = isTagged || Object.keys(fields).length > 0 || toolCalls.some((call) => call.extra !== undefined);
    return hasExtra ? { origin, fields: isTagged ? { ...fields, [CONTENT]: withTags } : fields } : null;
  }

  return {
    add,

    hasGrown() {
      const grown = size > seen;
      seen = size;
      return grown;
    },

    hasBegun: () => size > 0,
    failure: () => failure,
    hasEnded: () => finish !== null,

    finish(estimate) {
      tags.end();
      if (finish?.isFailure) throw new PlatformError("model_unavailable", { cause: new Error(finish.reason) });
      const isSilent = content.isEmpty && reasoning.isEmpty && calls.count() === 0;
      if (finish === null && (!isAtEnd || isSilent)) throw new PlatformError("model_stream_broken");
      const reason = finish?.reason ?? "stop";
      // What a filter cuts is not what the model asked for.
      const toolCalls = reason === "content_filter" ? [] : calls.calls(reason === "length");
      // The calls were lost on the way: an empty answer would say that nothing is missing.
      if (reason === "tool_calls" && content.isEmpty && toolCalls.length === 0) {
        throw new PlatformError("model_stream_broken");
      }
      const wantedBack = extraOf(toolCalls);
      const thoughts = reasoning.toString();
      const words = content.toString();
      return {
        content: words,
        toolCalls,
        ...(wantedBack === null ? {} : { extra: wantedBack }),
        ...(thoughts === "" ? {} : { reasoning: thoughts }),
        finishReason: endOf(reason, hasRefused, toolCalls.length > 0),
        usage: completeUsage(usage, () => estimate(thoughts + words, toolCalls)),
      };
    },
  };
}

/** Providers say `stop` for turns that call tools and for refusals. */
function endOf(reason: string, hasRefused: boolean, hasCalls: boolean): string {
  if (hasCalls) return reason === "length" ? reason : "tool_calls";
  return hasRefused && reason === "stop" ? "refusal" : reason;
}
