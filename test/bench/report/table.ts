/** Tables of a run as rows of cells, drawn as plain text for the terminal and as Markdown for pages. */
import type { Range } from "../measure/statistics.ts";
import { FIGURES, formatFigure } from "./figures.ts";
import type { FigureRanges } from "./summary.ts";

export type Table = { readonly head: readonly string[]; readonly rows: readonly (readonly string[])[] };

/** One row per system; one column per figure that at least one system has. */
export function systemsTable(systems: Readonly<Record<string, FigureRanges>>): Table {
  const names = Object.keys(FIGURES).filter((name) => Object.values(systems).some((figures) => name in figures));
  return {
    head: ["", ...names.map((name) => FIGURES[name]?.title ?? name)],
    rows: Object.entries(systems).map(([system, figures]) => [
      system,
      ...names.map((name) => formatRange(name, figures[name])),
    ]),
  };
}

/** The median; with the range if the rounds differ at the shown precision. */
export function formatRange(name: string, range: Range | undefined): string {
  const [middle, low, high] = [range?.median, range?.min, range?.max].map((value) => formatFigure(name, value));
  return low === high ? `${middle}` : `${middle} (${low}–${high})`;
}

export function drawText({ head, rows }: Table): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const draw = (row: readonly string[]) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  ");
  return all.map(draw).join("\n");
}

export function drawMarkdown({ head, rows }: Table): string {
  const draw = (row: readonly string[]) => `| ${row.join(" | ")} |`;
  return [draw(head), draw(head.map((_, column) => (column === 0 ? "---" : "---:"))), ...rows.map(draw)].join("\n");
}
