/** A CSV file as a Markdown table, so that every chunk of it begins with the names of the columns. */
import Papa from "papaparse";
import { tableRow, tableRule } from "./markdown.ts";
import type { TextSink } from "./text-sink.ts";

/** A table has a head and another row, or it is none. */
export function writeCsv(csv: string, sink: TextSink): void {
  let columns = 0;
  let rows = 0;
  Papa.parse<string[]>(csv, {
    skipEmptyLines: "greedy",
    step: ({ data }) => {
      if (rows === 0) columns = data.length;
      sink.write(`${tableRow(data, columns)}\n`);
      if (rows === 0) sink.write(`${tableRule(columns)}\n`);
      rows += 1;
    },
  });
}
