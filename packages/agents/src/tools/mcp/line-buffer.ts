/** Splits a stream of bytes into lines of text. */
import { STDIO_DEFAULT_MAX_BUFFER_SIZE as MAX_BYTES } from "@modelcontextprotocol/sdk/shared/stdio.js";

const LINE_FEED = 10;

export type LineBuffer = {
  /** The lines that the chunk completes, without empty ones. Throws when a line exceeds the SDK's limit. */
  add(chunk: Buffer): string[];
};

export function createLineBuffer(): LineBuffer {
  let pieces: Buffer[] = [];
  let bytes = 0;

  function keep(piece: Buffer): void {
    bytes += piece.length;
    if (bytes > MAX_BYTES) throw new Error(`a message of the server exceeds the maximum size of ${MAX_BYTES} bytes`);
    pieces.push(piece);
  }

  function take(): string {
    const line = Buffer.concat(pieces).toString();
    pieces = [];
    bytes = 0;
    return line;
  }

  return {
    add(chunk) {
      const lines: string[] = [];
      let start = 0;
      for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
        keep(chunk.subarray(start, end));
        lines.push(take());
        start = end + 1;
      }
      keep(chunk.subarray(start));
      return lines.filter((line) => line.trim() !== "");
    },
  };
}
