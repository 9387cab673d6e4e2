// Where the output of the parts that keep no log of their own goes: Redis, Chroma, the local model.
//
// Invariant (I9): never more than two files of `maxBytes` each. Lines are written at once: a crash's last words count.
import { appendFileSync, renameSync, statSync } from "node:fs";

const MAX_BYTES = 5 * 1024 * 1024;

export function createLogFile(file: string, maxBytes = MAX_BYTES): (line: string) => void {
  let bytes = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  return (line) => {
    const text = `${line}\n`;
    if (bytes > 0 && bytes + text.length > maxBytes) {
      renameSync(file, `${file}.1`);
      bytes = 0;
    }
    appendFileSync(file, text);
    bytes += Buffer.byteLength(text);
  };
}
