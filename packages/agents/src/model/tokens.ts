/**
 * Token counts by kind of character: within a few percent of what the tokenizers of several vendors make of English,
 * Chinese and code on average (`npm run tokens`). A tokenizer is exact for the models of one vendor and costs 70 MB.
 * What a model's own figures say of the difference is in calibration.ts.
 */

/** Digits, ASCII letters and white space are counted in runs; this many tokens each. */
const WORD = 1;
const CAPITALS = 1.25;
const THREE_DIGITS = 1.7;
const MARKS = 0.65;
const LINE_BREAKS = 0.6;
const SPACES = 1;
/** A longer word is several tokens: of each letter beyond so many, and more of what is no word of a language. */
const SHORT_WORD = 6;
const LATER_LETTER = 0.24;
const LONG_WORD = 16;
const LATE_LETTER = 0.45;
/** Of a run of marks: `});` is one token or two, and a ruled line of hundreds is a few. */
const FURTHER_MARK = 0.25;
const SAME_MARK = 0.06;

/** Tokens per UTF-16 unit outside ASCII and Latin letters, up to a code; in the order of the codes. */
const SCRIPTS: readonly (readonly [upTo: number, tokens: number])[] = [
  [0xa0, 1], // control characters
  [0xc0, 0.9], // signs such as § and °
  [0x250, 0.9], // letters with accents: beside those of their word
  [0x370, 0.9], // phonetic letters, combining marks
  [0x400, 0.8], // Greek
  [0x530, 0.5], // Cyrillic
  [0x590, 1.1], // Armenian
  [0x600, 0.8], // Hebrew
  [0x780, 0.65], // Arabic
  [0x900, 1.3],
  [0xe00, 0.95], // the scripts of India
  [0xe80, 0.7], // Thai
  [0x10a0, 1.2],
  [0x1100, 1.1], // Georgian
  [0x1200, 1], // Hangul letters
  [0x1e00, 1.3],
  [0x1f00, 0.8], // Vietnamese
  [0x2000, 1], // old Greek
  [0x2070, 0.8], // dashes and quotation marks
  [0x3000, 1], // signs, arrows, boxes
  [0x3040, 0.9], // CJK punctuation
  [0x3100, 0.9], // kana
  [0x4e00, 1.5], // rare Han
  [0xa000, 0.83], // Han
  [0xac00, 1.3],
  [0xd7b0, 1], // Hangul
  [0xe000, 1.25], // half of an emoji or of a rare character
  [0xf900, 1.5],
  [0xff00, 1.2],
  [0x10000, 0.9], // full-width marks
];

const WEIGHTS = new Float32Array(0x10000);
for (const [at, [upTo, weight]] of SCRIPTS.entries()) WEIGHTS.fill(weight, SCRIPTS[at - 1]?.[0] ?? 0, upTo);

/** Of a longer text samples are counted, spread over it, because counting blocks the event loop. */
const EXACT_UP_TO = 65_536;
const SAMPLES = 16;
const SAMPLE_CHARS = EXACT_UP_TO / SAMPLES;

/** At least 1, except for no text. */
export function countTokens(text: string): number {
  if (text.length <= EXACT_UP_TO) return Math.ceil(weigh(text));
  let tokens = 0;
  for (let sample = 0; sample < SAMPLES; sample++) {
    const start = Math.floor((sample * (text.length - SAMPLE_CHARS)) / (SAMPLES - 1));
    tokens += weigh(text.slice(start, start + SAMPLE_CHARS));
  }
  return Math.ceil((tokens / EXACT_UP_TO) * text.length);
}

function weigh(text: string): number {
  let tokens = 0;
  for (let at = 0; at < text.length; ) {
    const code = text.charCodeAt(at);
    const start = at++;
    if (isLetter(code)) {
      at = endOfWord(text, start);
      tokens += tokensOfWord(text, start, at);
    } else if (code >= 0x80) {
      tokens += WEIGHTS[code] ?? 1;
    } else if (isDigit(code)) {
      while (at < text.length && isDigit(text.charCodeAt(at))) at++;
      tokens += THREE_DIGITS * Math.ceil((at - start) / 3);
    } else if (code === SPACE) {
      while (text.charCodeAt(at) === SPACE) at++;
      // A single one belongs to the word behind it.
      if (at - start > 1) tokens += SPACES;
    } else if (code < SPACE) {
      while (text.charCodeAt(at) < SPACE) at++;
      tokens += LINE_BREAKS;
    } else {
      tokens += MARKS;
      for (let next = text.charCodeAt(at); isMark(next); next = text.charCodeAt(++at)) {
        tokens += next === text.charCodeAt(at - 1) ? SAME_MARK : FURTHER_MARK;
      }
    }
  }
  return tokens;
}

const SPACE = 0x20;
const isBetween = (code: number, low: number, high: number): boolean => code >= low && code <= high;
const isDigit = (code: number): boolean => isBetween(code, 0x30, 0x39);
const isCapital = (code: number): boolean => isBetween(code, 0x41, 0x5a);
const isAccented = (code: number): boolean => isBetween(code, 0xc0, 0x24f);
const isLower = (code: number): boolean => isBetween(code, 0x61, 0x7a) || isAccented(code);
const isLetter = (code: number): boolean => isLower(code) || isCapital(code);
const isMark = (code: number): boolean => isBetween(code, 0x21, 0x7f) && !isLetter(code) && !isDigit(code);

/** Tokenizers part `camelCase` and `HTTPServer` as readers do. */
function endOfWord(text: string, start: number): number {
  let at = start;
  while (isCapital(text.charCodeAt(at))) at++;
  const capitals = at - start;
  if (capitals > 1) return isLower(text.charCodeAt(at)) ? at - 1 : at;
  while (isLower(text.charCodeAt(at))) at++;
  return at;
}

function tokensOfWord(text: string, start: number, end: number): number {
  const length = end - start;
  let tokens = length > 1 && isCapital(text.charCodeAt(start + 1)) ? CAPITALS : WORD;
  if (length > SHORT_WORD) tokens += LATER_LETTER * (Math.min(length, LONG_WORD) - SHORT_WORD);
  if (length > LONG_WORD) tokens += LATE_LETTER * (length - LONG_WORD);
  for (let at = start; at < end; at++) if (isAccented(text.charCodeAt(at))) tokens += WEIGHTS[0xc0] ?? 0;
  return tokens;
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
