/** The model port: what agents ask of a language model, independent of its provider. */
import type { ToolChoice } from "@agent-paas/shared/contract/client-tools.ts";
import type { TokenCounts, Usage } from "@agent-paas/shared/contract/jobs.ts";
import type { MessagePart } from "@agent-paas/shared/contract/message-parts.ts";

/** A tool as it is offered to the model. */
export type ToolSpec = {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of the arguments. */
  readonly parameters: Readonly<Record<string, unknown>>;
};

/** A call that the model asks for; `arguments` is the model's own text, which may be invalid JSON. */
export type ToolCall = {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
  /** What the provider sent with the call and wants back with it (Gemini's thought signatures), byte for byte. */
  readonly extra?: Readonly<Record<string, unknown>>;
};

/** What a provider wants back with its turn. To all others it means nothing. */
export type ProviderExtra = {
  /** The provider and the model that sent it, and the calls' `extra`: only to them it goes back. */
  readonly origin: string;
  /** Fields of the message, as they came. */
  readonly fields: Readonly<Record<string, unknown>>;
};

export type ModelMessage =
  | { readonly role: "system"; readonly content: string }
  | {
      readonly role: "user";
      readonly content: string;
      /** What goes to the model in place of `content`, which has their texts. */
      readonly parts?: readonly MessagePart[];
      /** It is about the answer to the question before it, and no question itself. */
      readonly isCorrection?: true;
    }
  | {
      readonly role: "assistant";
      readonly content: string;
      readonly toolCalls?: readonly ToolCall[];
      /** The turn's reasoning. Goes back to providers that demand it within a tool loop, never to others. */
      readonly reasoning?: string;
      /** The turn's own. */
      readonly extra?: ProviderExtra;
    }
  /** The result of one call of the assistant message before it. */
  | { readonly role: "tool"; readonly callId: string; readonly content: string };

/** Settings of a request to the model. */
export type ModelOptions = {
  /** A name of the setting `MODELS`, or one of the default provider's. Default: the platform's `LLM_MODEL`. */
  readonly model?: string | undefined;
  /** Models that are asked in turn when the one before fails before its first token. Default: those of `MODELS`. */
  readonly fallbacks?: readonly string[] | undefined;
  readonly temperature?: number | undefined;
  readonly topP?: number | undefined;
  /** Most tokens of the answer. Default: the provider's. */
  readonly maxTokens?: number | undefined;
  /** How much less likely a token is for having been used often, and for having been used: -2 to 2. Default: 0. */
  readonly frequencyPenalty?: number | undefined;
  readonly presencePenalty?: number | undefined;
  /** Texts before which the answer ends. Default: none. */
  readonly stop?: string | readonly string[] | undefined;
  readonly seed?: number | undefined;
  /** In the provider's words, such as `low`. Default: the provider's. */
  readonly reasoningEffort?: string | undefined;
  /** Whether a turn may call several tools. Default: yes. */
  readonly parallelToolCalls?: boolean | undefined;
};

export type ModelRequest = ModelOptions & {
  readonly messages: readonly ModelMessage[];
  /** The tools that the model may call, several at once. */
  readonly tools?: readonly ToolSpec[] | undefined;
  /** Means nothing without tools. Default: the provider's, which is `auto`. */
  readonly toolChoice?: ToolChoice | undefined;
  /** JSON Schema that the answer should fit, sent to providers that accept one (`LLM_RESPONSE_FORMAT`). */
  readonly responseSchema?: Readonly<Record<string, unknown>> | undefined;
  /** Whether the turn is kept in the journal for a retry. Turns that call tools always are. Default: false. */
  readonly keep?: boolean | undefined;
};

/**
 * `reasoning` is the thinking that some models stream before the answer. `reset`, with all text of the turn so far: it
 * was reasoning after all (templates that put `<think>` into the prompt).
 */
export type ModelChunk = { readonly type: "text" | "reasoning" | "reset"; readonly content: string };

/** A finished model turn. */
export type ModelTurn = {
  readonly content: string;
  /** Empty when the turn is the final answer. */
  readonly toolCalls: readonly ToolCall[];
  /** The thinking that came before the answer. Absent or empty: none. */
  readonly reasoning?: string;
  /** Only of a turn that calls tools. Absent: the provider wants nothing back. */
  readonly extra?: ProviderExtra;
  /**
   * `stop`, `length` (cut by `maxTokens`), `tool_calls`, `content_filter`, `refusal` (`content` is the refusal's text),
   * or another value of the provider's.
   */
  readonly finishReason: string;
  readonly usage: TokenCounts;
  /** The name of the model that answered, as a request names it. Absent: it is not known. */
  readonly model?: string;
};

export const hasParts = (message: ModelMessage): boolean => message.role === "user" && message.parts !== undefined;

export type Model = {
  /**
   * Streams one turn. Throws a `PlatformError` with a `model_*` code, or `budget_exhausted` for a turn without an end;
   * aborting `signal` closes the upstream request and rejects with the signal's reason.
   */
  stream(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelChunk, ModelTurn>;
};

/** A finished turn as a message of the conversation: the results of its calls follow it. */
export function toMessage({ content, toolCalls, reasoning, extra }: ModelTurn): ModelMessage {
  return {
    role: "assistant",
    content,
    ...(toolCalls.length === 0 ? {} : { toolCalls }),
    ...(reasoning === undefined ? {} : { reasoning }),
    ...(extra === undefined ? {} : { extra }),
  };
}

/** A call without what its provider wants back: nobody may get that without the turn that says who sent it. */
export const bareCall = ({ extra: _, ...call }: ToolCall): ToolCall => call;

/** The turn's usage, under the name of the model that answered. */
export const usageOfTurn = ({ usage, model }: Pick<ModelTurn, "usage" | "model">): Usage =>
  model === undefined ? usage : { ...usage, models: { [model]: usage } };

export function addUsage(a: Usage, b: Usage): Usage {
  if (a.models === undefined && b.models === undefined) return addCounts(a, b);
  const models = new Map(Object.entries(a.models ?? {}));
  for (const [name, counts] of Object.entries(b.models ?? {})) {
    const known = models.get(name);
    models.set(name, known === undefined ? counts : addCounts(known, counts));
  }
  return { ...addCounts(a, b), models: Object.fromEntries(models) };
}

const addCounts = (a: TokenCounts, b: TokenCounts): TokenCounts => ({
  input_tokens: a.input_tokens + b.input_tokens,
  output_tokens: a.output_tokens + b.output_tokens,
  total_tokens: a.total_tokens + b.total_tokens,
});
