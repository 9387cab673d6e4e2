/** Markdown as the converters write it. */

/** What the reader of Markdown would take for a heading, a table, code or a rule, if a line of prose began with it. */
const MARKS = new Set(["#", "|", "`", "~", "=", "-"]);
const BULLET = "- ";

/** One line of prose. */
export function proseLine(text: string): string {
  const line = inLine(text);
  return MARKS.has(line[0] ?? "") && !line.startsWith(BULLET) ? `\\${line}` : line;
}

export const headingLine = (level: number, text: string): string =>
  `${"#".repeat(Math.min(6, Math.max(1, level)))} ${inLine(text)}`;

/** The lines of a table; its first row is the head. Rows get as many cells as the longest has. */
export function* tableLines(rows: readonly (readonly string[])[]): Generator<string> {
  const columns = rows.reduce((most, { length }) => Math.max(most, length), 0);
  for (const [at, row] of rows.entries()) {
    yield tableRow(row, columns);
    if (at === 0) yield tableRule(columns);
  }
}

export function tableRow(cells: readonly string[], columns: number): string {
  const padded = Array.from({ length: Math.max(columns, cells.length) }, (_, at) => cells[at] ?? "");
  return `| ${padded.map((cell) => inLine(cell).replaceAll("|", "\\|")).join(" | ")} |`;
}

export const tableRule = (columns: number): string => `|${" --- |".repeat(columns)}`;

/** White space of any kind and length becomes one blank. */
export const inLine = (text: string): string => {
  let line = "";
  let isGap = false;
  for (const char of text) {
    if (WHITE.has(char)) {
      isGap = true;
      continue;
    }
    if (isGap && line !== "") line += " ";
    isGap = false;
    line += char;
  }
  return line;
};

const WHITE = new Set([" ", "\n", "\r", "\t", "\f", "\v", "\u00a0", "\u0085", "\u2028", "\u2029"]);
