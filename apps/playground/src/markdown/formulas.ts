/**
 * Rules of markdown-it for TeX: `$…$` and `\(…\)` within a line, `$$…$$` and `\[…\]` as blocks. A dollar sign before a
 * space or behind one, or before a digit, is a price.
 */
import type { MarkdownIt, StateBlock, StateInline } from "markdown-it";

/** Longer ones are text. */
const MAX_FORMULA = 4_000;

const INLINE: readonly (readonly [open: string, close: string])[] = [
  ["$$", "$$"],
  ["\\(", "\\)"],
  ["\\[", "\\]"],
  ["$", "$"],
];

const BLOCK = INLINE.filter(([open]) => open === "$$" || open === "\\[");

export function formulas(parser: MarkdownIt): void {
  // Before escapes, which would take the backslash of `\(`.
  parser.inline.ruler.before("escape", "formula", inlineFormula);
  parser.block.ruler.before("fence", "formula_block", blockFormula, { alt: ["paragraph", "blockquote", "list"] });
}

function inlineFormula(state: StateInline, silent: boolean): boolean {
  const { src, pos } = state;
  const pair = INLINE.find(([open]) => src.startsWith(open, pos));
  if (pair === undefined) return false;
  const [open, close] = pair;
  const from = pos + open.length;
  const to = findClose(src, close, from, Math.min(state.posMax, from + MAX_FORMULA));
  if (to <= from) return false;
  if (open === "$" && (/\s/.test(`${src[from]}${src[to - 1]}`) || /\d/.test(src[to + 1] ?? ""))) return false;
  if (!silent) {
    const token = state.push("formula", "", 0);
    token.content = src.slice(from, to);
    token.markup = open === "$$" || open === "\\[" ? "block" : "";
  }
  state.pos = to + close.length;
  return true;
}

/** A backslash before the sign makes it a part of the formula. */
function findClose(src: string, close: string, from: number, end: number): number {
  let at = src.indexOf(close, from);
  while (at !== -1 && close[0] === "$" && src[at - 1] === "\\") at = src.indexOf(close, at + 1);
  return at === -1 || at + close.length > end ? -1 : at;
}

function blockFormula(state: StateBlock, startLine: number, endLine: number, silent: boolean): boolean {
  const lineOf = (line: number) =>
    state.src.slice((state.bMarks[line] ?? 0) + (state.tShift[line] ?? 0), state.eMarks[line] ?? 0).trimEnd();
  const first = lineOf(startLine);
  const pair = BLOCK.find(([open]) => first.startsWith(open));
  if (pair === undefined) return false;
  const [open, close] = pair;
  const lines = [first.slice(open.length)];
  let line = startLine;
  let length = 0;
  while (!(lines.at(-1) ?? "").endsWith(close)) {
    line += 1;
    if (line >= endLine || length > MAX_FORMULA) return false;
    lines.push(lineOf(line));
    length += lines.at(-1)?.length ?? 0;
  }
  const content = lines.join("\n").slice(0, -close.length).trim();
  if (content === "") return false;
  if (!silent) {
    const token = state.push("formula_block", "", 0);
    token.content = content;
    token.map = [startLine, line + 1];
  }
  state.line = line + 1;
  return true;
}
