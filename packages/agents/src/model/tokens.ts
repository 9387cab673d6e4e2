/** Token counts by a real tokenizer (o200k): exact for OpenAI's models, close enough to budget those of others. */
import { countTokens as countWithOptions } from "gpt-tokenizer/encoding/o200k_base";

/** Of a longer text this many characters are counted and scaled, because counting blocks the event loop. */
const EXACT_UP_TO = 4_000;

/**
 * The tokenizer takes quadratic time for an unbroken run of letters, such as ordinary Chinese text. Counting in slices
 * of this many characters takes linear time, and is wrong by at most one token per slice.
 */
const SLICE = 256;

/** Counts the spelling of a control token (`<|endoftext|>`) as text; by default the tokenizer throws. */
const AS_TEXT = { disallowedSpecial: new Set<string>() };

export function countTokens(text: string): number {
  const counted = Math.min(text.length, EXACT_UP_TO);
  let tokens = 0;
  for (let at = 0; at < counted; at += SLICE) {
    tokens += countWithOptions(text.slice(at, Math.min(at + SLICE, counted)), AS_TEXT);
  }
  return counted === text.length ? tokens : Math.ceil((tokens / counted) * text.length);
}

/** More characters than most tokens have, in Latin and in other text: an estimate must not end a budget too early. */
const LATIN_CHARS_PER_TOKEN = 6;
const OTHER_CHARS_PER_TOKEN = 2;

/** A low and cheap estimate, at least 1, for text that arrives in pieces and is counted properly later. */
export function estimateTokens(text: string): number {
  let latin = 0;
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) < 0x250) latin++;
  return Math.max(1, Math.round(latin / LATIN_CHARS_PER_TOKEN + (text.length - latin) / OTHER_CHARS_PER_TOKEN));
}
