/** Pieces that the protocol of every provider consists of. */
import type { ProviderAnswer } from "./provider-case.ts";

export const DONE = "data: [DONE]\n\n";

/** What every chunk begins with, whoever sends it. */
const HEAD = { id: "chatcmpl-7", object: "chat.completion.chunk", created: 1_790_000_000, model: "m" };

/** One streamed chunk of the first choice. `more` adds fields of the chunk. */
export const chunk = (delta: object, finish_reason: string | null = null, more: object = {}) => ({
  ...HEAD,
  choices: [{ index: 0, delta, finish_reason }],
  ...more,
});

/** A chunk with these choices. */
export const choices = (list: readonly object[], more: object = {}) => ({ ...HEAD, choices: list, ...more });

export const usage = (prompt_tokens: number, completion_tokens: number, total_tokens?: number) => ({
  usage: { prompt_tokens, completion_tokens, total_tokens: total_tokens ?? prompt_tokens + completion_tokens },
});

/** The last chunk of OpenAI's own stream: usage without a choice. */
export const usageChunk = (...counts: Parameters<typeof usage>) => choices([], usage(...counts));

/** One call as a whole, as most providers of open models send it. */
export const call = (id: string, args: string | object, more: object = {}) => ({
  index: 0,
  id,
  type: "function",
  function: { name: "lookup", arguments: args },
  ...more,
});

export const stream = (...events: (object | string)[]): ProviderAnswer => ({ events });

/** An answer of two words, for what follows the case's subject. */
export const FINE = stream(chunk({ content: "All fine." }, "stop"), usageChunk(9, 3), DONE);

export const failure = (status: number, body: object | string, headers?: Record<string, string>): ProviderAnswer => ({
  status,
  body,
  ...(headers === undefined ? {} : { headers }),
});

export const whole = (message: object, finish_reason: string | null, more: object = {}): ProviderAnswer => ({
  body: { ...HEAD, object: "chat.completion", choices: [{ index: 0, message, finish_reason }], ...more },
});
