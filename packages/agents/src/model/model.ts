/** The model port: what agents ask of a language model, whoever provides it. */
import type { Usage } from "@agent-paas/shared/contract/jobs.ts";

export type ModelMessage = { readonly role: "system" | "user" | "assistant"; readonly content: string };

export type ModelRequest = {
  readonly messages: readonly ModelMessage[];
  /** Default: the platform's `LLM_MODEL`. */
  readonly model?: string | undefined;
  readonly temperature?: number | undefined;
  readonly topP?: number | undefined;
  /** Most tokens of the answer. */
  readonly maxTokens?: number | undefined;
};

/** `reasoning` is what some models stream of their thinking before the answer. */
export type ModelChunk = { readonly type: "text" | "reasoning"; readonly content: string };

/** A finished turn. */
export type ModelTurn = {
  readonly content: string;
  /** `stop`, `length` (cut by `maxTokens`), or what else the provider says. */
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
