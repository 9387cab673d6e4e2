/**
 * What the lines of a PDF are: it has none of headings, paragraphs and tables, only pieces of text with size and place.
 * A heading is a line in larger letters than most of the text; lines with gaps between aligned cells are a table; lines
 * that follow closely are a paragraph.
 */
import { headingLine, inLine, proseLine, tableLines } from "./markdown.ts";
import type { TextSink } from "./text-sink.ts";

/** A piece of text as pdf.js gives it. */
export type TextItem = {
  readonly str: string;
  readonly height: number;
  readonly width: number;
  /** The last two are the place: from the left, from below. */
  readonly transform: readonly number[];
  readonly hasEOL: boolean;
};

export type Line = {
  /** Height of its letters. */
  readonly size: number;
  readonly y: number;
  /** Its parts between wide gaps. */
  readonly cells: readonly string[];
};

/** A gap between cells, in heights of a letter; the gap between words is about a quarter of one. */
const CELL_GAP = 1.5;
/** How much larger a heading is than the text. */
const HEADING = 1.15;
const MAX_HEADING_CHARS = 200;
/** Longer cells are columns of a page, not of a table. */
const MAX_CELL_CHARS = 60;
/** Lines further apart, in their heights, belong to two paragraphs. */
const PARAGRAPH_GAP = 1.7;

/** The lines of a page, in the order in which the file has them. */
export function linesOf(items: readonly TextItem[]): Line[] {
  const lines: Line[] = [];
  let open: { size: number; y: number; end: number; cells: string[] } | null = null;
  const close = () => {
    const cells = open?.cells.map(inLine).filter((cell) => cell !== "") ?? [];
    if (open !== null && cells.length > 0) lines.push({ size: open.size, y: open.y, cells });
    open = null;
  };
  for (const { str, height, width, transform, hasEOL } of items) {
    const [x = 0, y = 0] = transform.slice(4);
    if (str.trim() !== "") {
      if (open !== null && Math.abs(open.y - y) > open.size / 2) close();
      open ??= { size: height, y, end: x, cells: [""] };
      if (x - open.end > CELL_GAP * open.size) open.cells.push("");
      else if (x - open.end > open.size / 8) append(open.cells, " ");
      append(open.cells, str);
      open.size = Math.max(open.size, height);
      open.end = x + width;
    } else if (str !== "" && open !== null && width <= CELL_GAP * open.size) {
      append(open.cells, " ");
      open.end = x + width;
    }
    if (hasEOL) close();
  }
  close();
  return lines;
}

function append(cells: string[], text: string): void {
  cells[cells.length - 1] += text;
}

export function writeLines(pages: readonly (readonly Line[])[], sink: TextSink): void {
  const levels = headingSizes(pages.flat());
  const levelOf = ({ size, cells }: Line) =>
    cells.join(" ").length <= MAX_HEADING_CHARS ? levels.indexOf(rounded(size)) + 1 : 0;
  for (const page of pages) {
    for (let at = 0; at < page.length; ) {
      const line = page[at] as Line;
      const rows = tableAt(page, at);
      if (rows.length > 1) {
        sink.write(`${[...tableLines(rows)].join("\n")}\n\n`);
        at += rows.length;
        continue;
      }
      const level = levelOf(line);
      let text = line.cells.join(" ");
      let last = line;
      for (at += 1; at < page.length; at += 1) {
        const next = page[at] as Line;
        if (rounded(next.size) !== rounded(line.size) || !follows(last, next) || tableAt(page, at).length > 1) break;
        text = joined(text, next.cells.join(" "));
        last = next;
      }
      sink.write(`${level > 0 ? headingLine(level, text) : proseLine(text)}\n\n`);
    }
  }
}

const rounded = (size: number): number => Math.round(size * 2) / 2;

/** The sizes of headings, the largest first: those above the size that most of the text has. */
function headingSizes(lines: readonly Line[]): number[] {
  const chars = new Map<number, number>();
  for (const { size, cells } of lines) {
    const sum = cells.reduce((length, cell) => length + cell.length, chars.get(rounded(size)) ?? 0);
    chars.set(rounded(size), sum);
  }
  const [usual = [0]] = [...chars].toSorted(([, one], [, other]) => other - one);
  return [...chars.keys()].filter((size) => size >= usual[0] * HEADING).toSorted((one, other) => other - one);
}

/** The rows of the table that begins at the line; fewer than two are no table. */
function tableAt(page: readonly Line[], from: number): (readonly string[])[] {
  const columns = page[from]?.cells.length ?? 0;
  const rows: (readonly string[])[] = [];
  if (columns < 2) return rows;
  for (let at = from; page[at]?.cells.length === columns; at += 1) {
    const { cells } = page[at] as Line;
    if (cells.some((cell) => cell.length > MAX_CELL_CHARS)) break;
    rows.push(cells);
  }
  return rows;
}

/** Whether the line goes on with the paragraph: it stands below, and not far. An item of a list begins its own. */
function follows(before: Line, { y, cells, size }: Line): boolean {
  const gap = before.y - y;
  return gap > 0 && gap <= PARAGRAPH_GAP * size && !BULLETS.has(cells[0]?.[0] ?? "");
}

const BULLETS = new Set(["•", "-", "–", "*", "▪", "◦", "·"]);

/** Scripts without blanks have none at the end of a line either. */
const joined = (text: string, next: string): string =>
  `${text}${isWide(text.at(-1)) && isWide(next[0]) ? "" : " "}${next}`;

const isWide = (char = ""): boolean => char >= "\u2e80" && char <= "\uffef";
