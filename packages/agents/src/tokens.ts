/** Token counts with a real tokenizer (o200k); exact for OpenAI's models, close enough to budget any other's. */
import { countTokens as countWithOptions } from "gpt-tokenizer/encoding/o200k_base";

/** Beyond this many characters the head is counted and scaled: a count must not block the event loop for long. */
const EXACT_UP_TO = 20_000;

/** Text that spells a control token (`<|endoftext|>`) is text: the tokenizer would throw at it. */
const AS_TEXT = { disallowedSpecial: new Set<string>() };

const countExactly = (text: string): number => countWithOptions(text, AS_TEXT);

export function countTokens(text: string): number {
  if (text.length <= EXACT_UP_TO) return countExactly(text);
  return Math.ceil((countExactly(text.slice(0, EXACT_UP_TO)) / EXACT_UP_TO) * text.length);
}
