/**
 * Finds JSON objects and arrays within words, in linear time. What models add to JSON is taken away: comments, and a
 * comma before a closing bracket. Nothing is ever added: a value that is cut off or breaks the grammar is none, and
 * what lies within it is no value of its own.
 */
import { createScanner } from "jsonc-parser";

export type JsonText = {
  /** Without what JSON does not allow. A number may still be one that JSON does not know, such as `1.`. */
  readonly text: string;
  /** Its place in the words. */
  readonly start: number;
  readonly end: number;
};

type Token = {
  /** The first character; empty at the end of the words. A comment begins with a slash. */
  readonly char: string;
  readonly at: number;
  readonly end: number;
  /** Whether it is a whole token of JSON, or a comment. */
  readonly isSound: boolean;
};

/** What may come next. A container may be closed where it begins, after an element, and after a comma. */
type Expected = "first" | "colon" | "value" | "comma" | "after comma";

/** The objects and arrays that are in no other one, in their order. */
export function findJson(words: string): JsonText[] {
  const found: JsonText[] = [];
  const tokens = createTokens(words);
  for (let at = 0; at < words.length; ) {
    if (words[at] !== "{" && words[at] !== "[") {
      at += 1;
      continue;
    }
    const { value, next } = readJsonAt(words, at, tokens);
    if (value !== null) found.push(value);
    at = next;
  }
  return found;
}

/** Reads the object or array that begins at `start`. `next`: where to go on when looking for more. */
export function readJsonAt(
  words: string,
  start: number,
  tokens: Tokens = createTokens(words),
): { readonly value: JsonText | null; readonly next: number } {
  tokens.moveTo(start);
  const closers: string[] = [];
  /** What the text is without: comments and commas. */
  const cuts: Pick<Token, "at" | "end">[] = [];
  let expected: Expected = "value";
  /** The latest comma, and how many cuts are before it. */
  let comma: { readonly token: Token; readonly place: number } | null = null;
  /** Whether an object or array has begun for certain, and does not only look so in prose, as `{x}` and `[0, 1)` do. */
  let hasBegun = false;

  for (;;) {
    const token: Token = tokens.next();
    const { char, at, end, isSound } = token;
    if (char === "/" && isSound) {
      cuts.push(token);
      continue;
    }
    const closer = closers.at(-1);
    if (char !== "" && char === closer && expected !== "colon" && expected !== "value") {
      if (expected === "after comma" && comma !== null) cuts.splice(comma.place, 0, comma.token);
      closers.pop();
      if (closers.length === 0) return { value: { text: without(cuts, words, start, end), start, end }, next: end };
      hasBegun = true;
      expected = "comma";
      continue;
    }
    const wanted: Expected | null = isSound ? expectedAfter(char, expected, closer) : null;
    if (wanted === null) {
      // Not twice through a comment without an end, which takes in all the rest.
      const after = char === "/" ? end : at;
      return { value: null, next: hasBegun ? endOf(closers.length, token, tokens) : after };
    }
    if (expected === "colon") hasBegun = true;
    if (char === ",") comma = { token, place: cuts.length };
    if (char === "{") closers.push("}");
    if (char === "[") closers.push("]");
    expected = wanted;
  }
}

/** Null when the grammar does not allow the token. */
function expectedAfter(char: string, expected: Expected, closer: string | undefined): Expected | null {
  if (expected === "colon") return char === ":" ? "value" : null;
  if (expected === "comma") return char === "," ? "after comma" : null;
  if (closer === "}" && expected !== "value") return char === '"' ? "colon" : null;
  if (char === "{" || char === "[") return "first";
  return ["", ":", ",", "}", "]"].includes(char) ? null : "comma";
}

/** The end of a value, `depth` brackets deep, that breaks the grammar with this token. */
function endOf(depth: number, broken: Token, tokens: Tokens): number {
  let left = depth;
  for (let token = broken; ; token = tokens.next()) {
    if (token.char === "{" || token.char === "[") left += 1;
    if (token.char === "}" || token.char === "]") left -= 1;
    if (left === 0 || token.char === "") return token.end;
  }
}

/** Words that are tokens of JSON; anything else that is no bracket, string or number is not sound. */
const LITERALS: ReadonlySet<string> = new Set(["true", "false", "null"]);

type Tokens = {
  moveTo(at: number): void;
  /** White space is no token. */
  next(): Token;
};

function createTokens(words: string): Tokens {
  const scanner = createScanner(words);
  return {
    moveTo: scanner.setPosition,
    next() {
      for (;;) {
        scanner.scan();
        const at = scanner.getTokenOffset();
        const end = at + scanner.getTokenLength();
        const char = words.charAt(at);
        if (char !== "" && " \t\r\n".includes(char)) continue;
        const text = scanner.getTokenValue();
        const isComment = char === "/" && end > at + 1;
        const isKnown = text === "" || '"-0123456789'.includes(char) || LITERALS.has(text) || isComment;
        return { char, at, end, isSound: isKnown && scanner.getTokenError() === 0 };
      }
    },
  };
}

function without(cuts: readonly Pick<Token, "at" | "end">[], words: string, start: number, end: number): string {
  const from = [start, ...cuts.map((cut) => cut.end)];
  const to = [...cuts.map((cut) => cut.at), end];
  return from.map((at, index) => words.slice(at, to[index])).join("");
}
