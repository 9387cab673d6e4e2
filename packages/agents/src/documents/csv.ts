/** A CSV file as a Markdown table, so that every chunk of it begins with the names of the columns. */
import Papa from "papaparse";
import { tableRow, tableRule } from "./markdown.ts";
import type { TextSink } from "./text-sink.ts";

/** A table has a head and another row, or it is none. */
export function writeCsv(csv: string, sink: TextSink): void {
  const { delimiter, table } = separatorOf(csv);
  let columns = 0;
  let rows = 0;
  Papa.parse<string[]>(table, {
    delimiter,
    skipEmptyLines: "greedy",
    step: ({ data }) => {
      if (rows === 0) columns = data.length;
      sink.write(`${tableRow(data, columns)}\n`);
      if (rows === 0) sink.write(`${tableRule(columns)}\n`);
      rows += 1;
    },
  });
}

const SEPARATOR = "sep=";

/** Excel writes what separates the cells into a line before the table. Empty: the parser finds out. */
function separatorOf(csv: string): { readonly delimiter: string; readonly table: string } {
  const end = csv.indexOf("\n");
  const line = csv.slice(0, Math.max(0, csv[end - 1] === "\r" ? end - 1 : end));
  const delimiter = line.toLowerCase().startsWith(SEPARATOR) ? line.slice(SEPARATOR.length) : "";
  return delimiter.length === 1 ? { delimiter, table: csv.slice(end + 1) } : { delimiter: "", table: csv };
}
