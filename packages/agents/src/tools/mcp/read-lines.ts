import type { Readable } from "node:stream";

const MAX_LINE_CHARS = 1_000;

/** Hands on the lines of a stream, of a longer one the beginning; never holds more than one line, complete or not. */
export function readLines(stream: Readable, onLine: (line: string) => void): void {
  let unfinished = "";
  const emit = (line: string) => {
    const text = line.slice(0, MAX_LINE_CHARS).trimEnd();
    if (text !== "") onLine(text);
  };
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    const [first = "", ...rest] = chunk.split("\n");
    // Beyond the bound the rest of the line is dropped, however long it is.
    unfinished = (unfinished + first).slice(0, MAX_LINE_CHARS);
    for (const next of rest) {
      emit(unfinished);
      unfinished = next.slice(0, MAX_LINE_CHARS);
    }
  });
  stream.on("end", () => emit(unfinished));
}
