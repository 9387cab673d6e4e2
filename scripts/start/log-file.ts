/**
 * Log files for the processes that write none themselves: Redis, Chroma, the local model.
 *
 * Invariant (I9): never more than two files of `maxBytes` each. Lines are written synchronously, so that the last
 * output before a crash is on the disk. Lines that cannot be written are dropped and counted: a full disk is no reason
 * to end the platform.
 */
import { appendFileSync, renameSync, statSync } from "node:fs";
import { PRIVATE_FILE_MODE } from "@agent-paas/shared/files/private-files.ts";

const MAX_BYTES = 5 * 1024 * 1024;

export function createLogFile(file: string, maxBytes = MAX_BYTES): (line: string) => void {
  let bytes = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  let dropped = 0;
  function append(text: string): void {
    if (bytes > 0 && bytes + text.length > maxBytes) {
      renameSync(file, `${file}.1`);
      bytes = 0;
    }
    appendFileSync(file, text, { mode: PRIVATE_FILE_MODE });
    bytes += Buffer.byteLength(text);
  }
  return (line) => {
    try {
      append(`${dropped === 0 ? "" : `(${dropped} lines could not be written)\n`}${line}\n`);
      dropped = 0;
    } catch {
      dropped++;
    }
  };
}
