/**
 * Cuts a document into the pieces that are embedded and found: by its structure, about 300 tokens each, with an
 * overlap between neighbours of a section.
 *
 * 1. A chunk has text of one section alone, so its heading holds for all of it.
 * 2. Everything but white space is in at least one chunk, in the document's order.
 * 3. No chunk is above `MAX_TOKENS`; no surrogate pair is split.
 */
import { setImmediate } from "node:timers/promises";
import { countTokens } from "../model/tokens.ts";
import { type Block, readBlocks } from "./document-blocks.ts";
import { LINES, type Piece, PROSE, sentencesOf, splitSpan } from "./split-span.ts";

export type Chunk = {
  /** The headings that it stands under, outermost first, joined by ` › `; empty for none. */
  readonly heading: string;
  /** Place within the document, from 0. */
  readonly position: number;
  readonly content: string;
};

export const MAX_TOKENS = 450;
const TARGET_TOKENS = 300;
/** A code block or a table up to this size stays whole. With what may come before it the chunk stays below the most. */
const MAX_PIECE_TOKENS = 370;
/** Of the end of the chunk before, in whole sentences; also of a table's head, which each part of it repeats. */
const MAX_OVERLAP_TOKENS = 55;
/** A chunk with less than this takes the next piece in, if it may, though that leads above the target. */
const SMALL_TOKENS = 80;
/** What is counted piece by piece is off by a token here and there. */
const MAX_COUNTED_TOKENS = 430;

/** Characters. */
const MAX_INDENT = 40;

/** How long the event loop may be kept from other work, ms. */
const SLICE_MS = 10;

type DocumentPiece = Piece & { readonly block: Block };

/** A chunk in the making; `lead` comes before the pieces, and `start` is before them when sentences overlap. */
type Draft = { readonly lead: string; readonly start: number; readonly pieces: DocumentPiece[]; tokens: number };

/** Takes time in proportion to the text and lets other work go on meanwhile. */
export async function chunkDocument(text: string, format: "text" | "markdown"): Promise<Chunk[]> {
  const tidied = tidy(text);
  const chunks: Chunk[] = [];
  let draft = null as Draft | null;
  let sliceEnd = performance.now() + SLICE_MS;

  const finish = ({ lead, start, pieces }: Draft) => {
    const end = pieces.at(-1)?.end ?? start;
    const heading = pieces.at(-1)?.block.heading ?? "";
    chunks.push({ heading, position: chunks.length, content: lead + trimLines(tidied.slice(start, end)) });
  };

  for (const piece of readPieces(tidied, format)) {
    if (draft === null || draft.pieces[0]?.block.section !== piece.block.section) {
      if (draft !== null) finish(draft);
      draft = { lead: "", start: piece.start, pieces: [piece], tokens: piece.tokens };
    } else if (fits(draft, piece)) {
      draft.pieces.push(piece);
      draft.tokens += piece.tokens;
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
  return chunks;
}

function* readPieces(text: string, format: "text" | "markdown"): Generator<DocumentPiece> {
  for (const block of readBlocks(text, format)) {
    const ways = block.kind === "code" || block.kind === "table" ? LINES : PROSE;
    for (const piece of splitSpan(text, block, MAX_PIECE_TOKENS, ways)) yield { ...piece, block };
  }
}

function fits(draft: Draft, { tokens }: Piece): boolean {
  const together = draft.tokens + tokens;
  return together <= TARGET_TOKENS || (draft.tokens < SMALL_TOKENS && together <= MAX_COUNTED_TOKENS);
}

/** The draft that begins with `piece`, after one of the same section. */
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

/** As many of the last sentences as the overlap takes; null for none, and after code or a table. */
function lastSentences(text: string, pieces: readonly DocumentPiece[]): Piece | null {
  let overlap = null as Piece | null;
  for (const piece of pieces.toReversed()) {
    if (piece.block.kind !== "prose") return overlap;
    for (const { start, end } of [...sentencesOf(text, piece)].toReversed()) {
      const tokens: number = (overlap?.tokens ?? 0) + countTokens(text.slice(start, end));
      if (tokens > MAX_OVERLAP_TOKENS) return overlap;
      overlap = { start, end: overlap?.end ?? end, tokens };
    }
  }
  return overlap;
}

/** White space alone must not fill a chunk: one empty line is left of several, and not much of a wide gap. */
const tidy = (text: string): string =>
  text.replace(/\s{3,}/g, (gap) => {
    const lines = gap.split("\n");
    return "\n".repeat(Math.min(2, lines.length - 1)) + (lines.at(-1) ?? "").slice(0, MAX_INDENT);
  });

/** Without empty lines around it; the first line keeps its indent. */
const trimLines = (text: string): string => text.trimEnd().replace(/^(?:[ \t\r]*\n)+/, "");
