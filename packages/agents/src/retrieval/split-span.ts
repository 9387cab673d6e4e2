/** Splits a span of text into pieces within a token limit, at the best borders that it has. */
import { countTokens } from "../model/tokens.ts";
import { linesOf, type Span } from "./document-blocks.ts";

export type Piece = Span & { readonly tokens: number };

/** Divides a span into parts that together cover all of it. */
export type Divide = (text: string, span: Span) => Iterable<Span>;

/** A longer text exceeds every token limit in use, and its count would be an estimate. */
const MAX_PIECE_CHARS = 4_000;

/** Ends of Western and Chinese sentences, and line breaks before the items of a list. */
const SENTENCE_END = /[.!?。！？；…]+|\n(?=[ \t]*(?:[-*+•]|\d{1,3}[.)])\s)/g;
/** Marks that end a sentence even without white space after them. */
const FULL_WIDTH_END = /[。！？；…]$/;
const CLOSING = /["'”’」』）)\]*`]/;

/** Divides by sentences, then by lines, then anywhere. */
export const PROSE: readonly Divide[] = [sentencesOf, linesOf];
/** Divides by lines, then anywhere. */
export const LINES: readonly Divide[] = [linesOf];

/**
 * Yields pieces of at most `maxTokens`: a span that is too long is divided by the first of `ways`, its parts by the
 * next.
 */
export function* splitSpan(text: string, span: Span, maxTokens: number, ways: readonly Divide[]): Generator<Piece> {
  const content = text.slice(span.start, span.end);
  if (content.trim() === "") return;
  const tokens = content.length > MAX_PIECE_CHARS ? Number.POSITIVE_INFINITY : countTokens(content);
  if (tokens <= maxTokens || content.length < 2) {
    yield { start: span.start, end: span.end, tokens };
    return;
  }
  const [divide = halve, ...finer] = ways;
  for (const part of divide(text, span)) yield* splitSpan(text, part, maxTokens, finer);
}

export function* sentencesOf(text: string, { start, end }: Span): Generator<Span> {
  let from = start;
  for (const found of text.slice(start, end).matchAll(SENTENCE_END)) {
    let at = start + found.index + found[0].length;
    while (at < end && CLOSING.test(text[at] ?? "")) at += 1;
    const isEnd = found[0] === "\n" || FULL_WIDTH_END.test(found[0]) || at === end || /\s/.test(text[at] ?? "");
    // The closing marks after one end may contain the next end: `(…?)!`.
    if (!isEnd || at <= from) continue;
    while (at < end && /[ \t]/.test(text[at] ?? "")) at += 1;
    yield { start: from, end: at };
    from = at;
  }
  if (from < end) yield { start: from, end };
}

/** Divides in two at the white space nearest to the middle, or at the middle, but never inside a surrogate pair. */
function* halve(text: string, { start, end }: Span): Generator<Span> {
  const middle = (start + end) >> 1;
  const reach = Math.min(40, middle - start, end - middle - 1);
  let at = middle;
  for (let off = 0; off <= reach; off += 1) {
    const near = [middle + off, middle - off].find((place) => place > start && /\s/.test(text[place] ?? ""));
    if (near !== undefined) {
      at = near;
      break;
    }
  }
  const splitsPair =
    isBetween(text.charCodeAt(at - 1), 0xd800, 0xdbff) && isBetween(text.charCodeAt(at), 0xdc00, 0xdfff);
  if (splitsPair) at = at - 1 > start ? at - 1 : at + 1;
  yield { start, end: at };
  if (at < end) yield { start: at, end };
}

const isBetween = (code: number, low: number, high: number): boolean => code >= low && code <= high;
