/**
 * Cuts a document into the chunks that are embedded and found: along its structure, about 300 tokens each, with an
 * overlap between neighbours of one section.
 *
 * 1. A chunk's heading applies to all of its text. It has text of one section only, unless the document has more
 *    sections than its length justifies (see `merge-drafts.ts`).
 * 2. Everything except white space is in at least one chunk, in the document's order.
 * 3. No chunk exceeds `MAX_TOKENS`; no surrogate pair is split.
 * 4. The number of chunks is bounded by the length of the text.
 */
import { setImmediate } from "node:timers/promises";
import { countTokens } from "../model/tokens.ts";
import { type Block, readBlocks } from "./document-blocks.ts";
import { type FinishedDraft, mergeDrafts } from "./merge-drafts.ts";
import { LINES, type Piece, PROSE, sentencesOf, splitSpan } from "./split-span.ts";

export type Chunk = {
  /** The headings above the chunk, outermost first, joined by ` › `; empty for none. */
  readonly heading: string;
  /** Index within the document, from 0. */
  readonly position: number;
  readonly content: string;
};

export const MAX_TOKENS = 450;
const TARGET_TOKENS = 300;
/** A code block or a table up to this size stays whole. With an overlap before it the chunk is still in bounds. */
const MAX_PIECE_TOKENS = 370;
/** Most tokens repeated from the end of the previous chunk, in whole sentences; also most tokens of a table's head. */
const MAX_OVERLAP_TOKENS = 55;
/** A chunk with fewer tokens takes in the next piece even if the target is exceeded by it. */
const SMALL_TOKENS = 80;
/** Below `MAX_TOKENS`, because the sum of the pieces' counts may be a few tokens too low. */
const MAX_COUNTED_TOKENS = 430;
/** What the line breaks between two blocks count. Hundreds of one-word lines would exceed the limit otherwise. */
const GAP_TOKENS = 1;

/** Most characters of white space before a line that are kept. */
const MAX_INDENT = 40;

/** How long this may block the event loop, ms. */
const SLICE_MS = 4;

type DocumentPiece = Piece & { readonly block: Block };

/** An unfinished chunk. `lead` is text put before it; `start` lies before the first piece when sentences overlap. */
type Draft = { readonly lead: string; readonly start: number; readonly pieces: DocumentPiece[]; tokens: number };

/** Takes linear time, and yields to the event loop meanwhile. */
export async function chunkDocument(text: string, format: "text" | "markdown"): Promise<Chunk[]> {
  const tidied = tidy(text);
  const finished: FinishedDraft[] = [];
  let draft = null as Draft | null;
  let sliceEnd = performance.now() + SLICE_MS;

  const finish = ({ lead, start, pieces, tokens }: Draft) => {
    const end = pieces.at(-1)?.end ?? start;
    finished.push({ heading: pieces.at(-1)?.block.heading ?? "", lead, start, end, tokens });
  };

  for (const piece of readPieces(tidied, format)) {
    if (draft === null || draft.pieces[0]?.block.section !== piece.block.section) {
      if (draft !== null) finish(draft);
      draft = { lead: "", start: piece.start, pieces: [piece], tokens: piece.tokens };
    } else if (fits(draft, piece)) {
      draft.tokens += gapBefore(draft, piece) + piece.tokens;
      draft.pieces.push(piece);
    } else {
      finish(draft);
      draft = continued(tidied, draft, piece);
    }
    if (performance.now() > sliceEnd) {
      await setImmediate();
      sliceEnd = performance.now() + SLICE_MS;
    }
  }
  if (draft !== null) finish(draft);
  return mergeDrafts(finished).map(({ heading, lead, start, end }, position) => ({
    heading,
    position,
    content: lead + trimLines(tidied.slice(start, end)),
  }));
}

function* readPieces(text: string, format: "text" | "markdown"): Generator<DocumentPiece> {
  for (const block of readBlocks(text, format)) {
    const ways = block.kind === "code" || block.kind === "table" ? LINES : PROSE;
    for (const piece of splitSpan(text, block, MAX_PIECE_TOKENS, ways)) yield { ...piece, block };
  }
}

/** Neighbouring pieces of one block have no gap. */
const gapBefore = ({ pieces }: Draft, { block }: DocumentPiece): number =>
  pieces.at(-1)?.block === block ? 0 : GAP_TOKENS;

function fits(draft: Draft, piece: DocumentPiece): boolean {
  const together = draft.tokens + gapBefore(draft, piece) + piece.tokens;
  return together <= TARGET_TOKENS || (draft.tokens < SMALL_TOKENS && together <= MAX_COUNTED_TOKENS);
}

/** The draft that begins with `piece` and follows `before` in the same section. */
function continued(text: string, before: Draft, piece: DocumentPiece): Draft {
  const last = before.pieces.at(-1);
  if (last?.block === piece.block && piece.block.kind === "table") {
    const head = text.slice(piece.block.start, piece.block.end).slice(0, 2_000).split("\n", 2).join("\n");
    const tokens = countTokens(head);
    if (tokens <= MAX_OVERLAP_TOKENS) {
      return { lead: `${head}\n`, start: piece.start, pieces: [piece], tokens: tokens + piece.tokens };
    }
  }
  const overlap = lastSentences(text, before.pieces);
  const start = overlap?.start ?? piece.start;
  return { lead: "", start, pieces: [piece], tokens: (overlap?.tokens ?? 0) + piece.tokens };
}

/** The last sentences that fit into the overlap; null for none, and after code or a table. */
function lastSentences(text: string, pieces: readonly DocumentPiece[]): Piece | null {
  let overlap = null as Piece | null;
  for (const piece of pieces.toReversed()) {
    if (piece.block.kind !== "prose") return overlap;
    for (const { start, end } of [...sentencesOf(text, piece)].toReversed()) {
      const gap = overlap === null || overlap.start === end ? 0 : GAP_TOKENS;
      const tokens: number = (overlap?.tokens ?? 0) + gap + countTokens(text.slice(start, end));
      if (tokens > MAX_OVERLAP_TOKENS) return overlap;
      overlap = { start, end: overlap?.end ?? end, tokens };
    }
  }
  return overlap;
}

/** Shortens white space, which must not fill a chunk: several empty lines become one, and indents are limited. */
const tidy = (text: string): string =>
  text.replace(/\s{3,}/g, (gap) => {
    const lines = gap.split("\n");
    return "\n".repeat(Math.min(2, lines.length - 1)) + (lines.at(-1) ?? "").slice(0, MAX_INDENT);
  });

/** Removes empty lines at both ends; the first line keeps its indent. */
const trimLines = (text: string): string => text.trimEnd().replace(/^(?:[ \t\r]*\n)+/, "");
