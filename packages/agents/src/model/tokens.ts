/** Token counts with a real tokenizer (o200k); exact for OpenAI's models, close enough to budget any other's. */
import { countTokens as countWithOptions } from "gpt-tokenizer/encoding/o200k_base";

/** Beyond this many characters the head is counted and scaled: a count must not block the event loop for long. */
const EXACT_UP_TO = 4_000;

/**
 * The tokenizer takes quadratic time in an unbroken run of letters, which ordinary Chinese is. Counted in slices it is
 * linear, and wrong by at most a token per slice.
 */
const SLICE = 256;

/** Text that spells a control token (`<|endoftext|>`) is text: the tokenizer would throw at it. */
const AS_TEXT = { disallowedSpecial: new Set<string>() };

export function countTokens(text: string): number {
  const counted = Math.min(text.length, EXACT_UP_TO);
  let tokens = 0;
  for (let at = 0; at < counted; at += SLICE) {
    tokens += countWithOptions(text.slice(at, Math.min(at + SLICE, counted)), AS_TEXT);
  }
  return counted === text.length ? tokens : Math.ceil((tokens / counted) * text.length);
}

/** More characters than a token mostly has, in Latin text and in other: a budget must not end before it is used up. */
const LATIN_CHARS_PER_TOKEN = 6;
const OTHER_CHARS_PER_TOKEN = 2;

/** A low guess that costs next to nothing, for text that comes piece by piece and is counted properly later. At least 1. */
export function estimateTokens(text: string): number {
  let latin = 0;
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) < 0x250) latin++;
  return Math.max(1, Math.round(latin / LATIN_CHARS_PER_TOKEN + (text.length - latin) / OTHER_CHARS_PER_TOKEN));
}
