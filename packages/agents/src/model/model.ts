/** The model port: what agents ask of a language model, whoever provides it. */
import type { Usage } from "@agent-paas/shared/contract/jobs.ts";

/** A tool as the model is offered it. */
export type ToolSpec = {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of the arguments. */
  readonly parameters: Readonly<Record<string, unknown>>;
};

/** What the model wants called; `arguments` is the JSON that it wrote, which may be none. */
export type ToolCall = { readonly id: string; readonly name: string; readonly arguments: string };

export type ModelMessage =
  | { readonly role: "system" | "user"; readonly content: string }
  | { readonly role: "assistant"; readonly content: string; readonly toolCalls?: readonly ToolCall[] }
  /** The result of one call of the assistant message before it. */
  | { readonly role: "tool"; readonly callId: string; readonly content: string };

/** How the model is asked. */
export type ModelOptions = {
  /** Default: the platform's `LLM_MODEL`. */
  readonly model?: string | undefined;
  readonly temperature?: number | undefined;
  readonly topP?: number | undefined;
  /** Most tokens of the answer. */
  readonly maxTokens?: number | undefined;
};

export type ModelRequest = ModelOptions & {
  readonly messages: readonly ModelMessage[];
  /** What the model may call; it may call several at once. */
  readonly tools?: readonly ToolSpec[] | undefined;
  /** JSON Schema that the answer should fit, for providers that can be told (`LLM_RESPONSE_FORMAT`). */
  readonly responseSchema?: Readonly<Record<string, unknown>> | undefined;
  /** Whether a retry of the job finds this turn in the journal; turns that call tools it always does. Default: false. */
  readonly keep?: boolean | undefined;
};

/** `reasoning` is what some models stream of their thinking before the answer. */
export type ModelChunk = { readonly type: "text" | "reasoning"; readonly content: string };

/** A finished turn. */
export type ModelTurn = {
  readonly content: string;
  /** Empty when the turn is an answer. */
  readonly toolCalls: readonly ToolCall[];
  /** `stop`, `length` (cut by `maxTokens`), `tool_calls`, or what else the provider says. */
  readonly finishReason: string;
  readonly usage: Usage;
};

export type Model = {
  /**
   * Streams one turn. Throws a `PlatformError` with a `model_*` code; aborting `signal` closes the upstream request
   * and rejects with the signal's reason.
   */
  stream(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelChunk, ModelTurn>;
};

export const addUsage = (a: Usage, b: Usage): Usage => ({
  input_tokens: a.input_tokens + b.input_tokens,
  output_tokens: a.output_tokens + b.output_tokens,
  total_tokens: a.total_tokens + b.total_tokens,
});
