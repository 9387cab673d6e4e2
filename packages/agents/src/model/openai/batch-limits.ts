/** What a provider's refusal says about the texts of one request for embeddings. */
import type { ProviderFailure } from "./error-body.ts";

const STATUSES = [400, 413, 422, 500];
const MAX_SEARCHED = 4_000;

/** Words of refusals for the number of texts, which is the same for every request. In lower case. */
const COUNT_WORDS = [
  ...[
    "batch size",
    "in one batch",
    "client_batch",
    "too many inputs",
    "too many input",
    "array too long",
    "input array",
  ],
  ...["inputs per request", "inputs which exceeds", "number of texts", "number of inputs", "input数组", "items"],
];
/** Words of refusals for the size of the texts, which differs from request to request. */
const SIZE_WORDS = ["token", "too large", "too long", "exceed", "context length", "input length", "超过", "过长"];

export type BatchLimit = {
  /** Texts of the next request. */
  readonly count: number;
  /** Whether every later request has to have as few. */
  readonly isLasting: boolean;
};

/** How many texts may be accepted after a request with `asked` of them; null if it was refused for other reasons. */
export function readBatchLimit({ status, message, code }: ProviderFailure, asked: number): BatchLimit | null {
  if (asked < 2 || status == null || !STATUSES.includes(status)) return null;
  const text = `${(message ?? "").slice(0, MAX_SEARCHED)} ${code ?? ""}`.toLowerCase();
  const half = Math.ceil(asked / 2);
  if (COUNT_WORDS.some((word) => text.includes(word))) {
    return { count: Math.min(limitIn(text, asked) ?? half, asked - 1), isLasting: true };
  }
  const isSize = status === 413 || (status !== 500 && SIZE_WORDS.some((word) => text.includes(word)));
  return isSize ? { count: half, isLasting: false } : null;
}

/** The largest number below that of the request: its own number, and a larger one, may stand beside it. */
function limitIn(text: string, asked: number): number | null {
  const numbers = (text.match(/\d+/g) ?? []).map(Number).filter((number) => number > 1 && number < asked);
  return numbers.length === 0 ? null : Math.max(...numbers);
}
