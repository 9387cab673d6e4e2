import type { Readable } from "node:stream";

const MAX_LINE_CHARS = 1_000;

/** Calls `onLine` for each line of a stream. A longer line is cut, so this never holds more than one line's limit. */
export function readLines(stream: Readable, onLine: (line: string) => void): void {
  let unfinished = "";
  const emit = (line: string) => {
    const text = line.slice(0, MAX_LINE_CHARS).trimEnd();
    if (text !== "") onLine(text);
  };
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    const [first = "", ...rest] = chunk.split("\n");
    // The rest of a line beyond the limit is dropped.
    unfinished = (unfinished + first).slice(0, MAX_LINE_CHARS);
    for (const next of rest) {
      emit(unfinished);
      unfinished = next.slice(0, MAX_LINE_CHARS);
    }
  });
  stream.on("end", () => emit(unfinished));
}
