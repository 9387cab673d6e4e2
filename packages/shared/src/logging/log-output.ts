/**
 * Where log lines go in the end: a file or the terminal. An output appends chunks of whole lines and tells what it
 * could not write; it never throws and never waits without a bound.
 */
import { write as writeWithCallback } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { isErrno, toError } from "../errors/errno.ts";
import { ASK_AGAIN_AFTER_MS, withoutWaiting, writeNow } from "../standard-output.ts";
import { SECOND } from "../time.ts";

const write = promisify(writeWithCallback);

/** Whole lines on their way to an output. */
export type Chunk = {
  readonly bytes: Buffer;
  /** How many bytes are written. */
  written: number;
  /** `queued` until the kernel has them, `taken` by whoever writes the rest synchronously. */
  state: "queued" | "writing" | "taken";
};

export type LogOutput = {
  /** Resolves with the error that kept a part of the chunk from being written, or with null. */
  append(chunk: Chunk): Promise<Error | null>;
  /** The same for a process that is about to exit: tries once, returns soon. */
  appendSync(bytes: Buffer): Error | null;
};

const NEWLINE = 0x0a;
const NO_HALF_LINE = Buffer.from("\n");

/** How long a terminal may take nothing, for example a pipe whose reader is busy. */
const TERMINAL_TAKES_WITHIN_MS = 5 * SECOND;

/** Writes until the chunk is written, somebody else has taken it, or `busyMs` have passed without progress. */
export async function writeChunk(fdOf: () => number, chunk: Chunk, busyMs = 0): Promise<Error | null> {
  let giveUpAt = performance.now() + busyMs;
  while (chunk.written < chunk.bytes.length && chunk.state !== "taken") {
    chunk.state = "writing";
    try {
      const { bytesWritten } = await write(fdOf(), chunk.bytes, chunk.written);
      chunk.written += bytesWritten;
      giveUpAt = performance.now() + busyMs;
    } catch (error) {
      // A terminal that takes nothing at the moment is waited for; at an exit the rest of the chunk may be taken over.
      chunk.state = "queued";
      if (!isErrno(error, "EAGAIN") || performance.now() >= giveUpAt) return toError(error);
      await delay(ASK_AGAIN_AFTER_MS);
    }
  }
  return null;
}

/** The terminal, or whatever else reads the descriptor. It may stop reading at any moment, and for ever. */
export function openTerminal(fd: number): LogOutput {
  const nonBlocking = withoutWaiting(fd);
  /** The end of a line that was given up half-written; empty when the terminal is at the start of a line. */
  let lineEnd = Buffer.alloc(0);
  const note = (bytes: Buffer, written: number) => {
    if (written > 0) lineEnd = Buffer.from(bytes[written - 1] === NEWLINE ? "" : "\n");
  };
  return {
    async append(chunk) {
      const end: Chunk = { bytes: lineEnd, written: 0, state: "queued" };
      const error = await writeChunk(nonBlocking, end, TERMINAL_TAKES_WITHIN_MS);
      if (error !== null) return error;
      note(NO_HALF_LINE, end.written);
      const failure = await writeChunk(nonBlocking, chunk, TERMINAL_TAKES_WITHIN_MS);
      note(chunk.bytes, chunk.written);
      return failure;
    },
    appendSync(bytes) {
      const all = Buffer.concat([lineEnd, bytes]);
      const { written, error } = writeNow(nonBlocking(), all);
      note(all, written);
      return error;
    },
  };
}
