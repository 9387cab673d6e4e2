/**
 * Where log lines go in the end: a file or the terminal. An output appends chunks of whole lines and tells what it
 * could not write; it never throws and never waits without a bound.
 */
import { writeSync, write as writeWithCallback } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
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

/** How long a terminal may take nothing, for example a pipe whose reader is busy. */
const TERMINAL_TAKES_WITHIN_MS = 5 * SECOND;
const SYNC_TAKES_WITHIN_MS = 300;
const ASK_AGAIN_AFTER_MS = 20;

export const toError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)));

export const isErrno = (error: unknown, ...codes: readonly string[]): boolean =>
  error instanceof Error && "code" in error && codes.includes(String(error.code));

/** Writes until the chunk is written, somebody else has taken it, or `busyMs` have passed without progress. */
export async function writeChunk(fd: number, chunk: Chunk, busyMs = 0): Promise<Error | null> {
  let giveUpAt = performance.now() + busyMs;
  while (chunk.written < chunk.bytes.length && chunk.state !== "taken") {
    chunk.state = "writing";
    try {
      const { bytesWritten } = await write(fd, chunk.bytes, chunk.written);
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

/** Writes for a process that is about to exit, which must not wait long for anybody. */
export function writeNow(fd: number, bytes: Buffer): { written: number; error: Error | null } {
  const giveUpAt = performance.now() + SYNC_TAKES_WITHIN_MS;
  let written = 0;
  while (written < bytes.length) {
    try {
      written += writeSync(fd, bytes, written);
    } catch (error) {
      if (!isErrno(error, "EAGAIN") || performance.now() >= giveUpAt) return { written, error: toError(error) };
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ASK_AGAIN_AFTER_MS);
    }
  }
  return { written, error: null };
}

export const openTerminal = (fd: number): LogOutput => ({
  append: (chunk) => writeChunk(fd, chunk, TERMINAL_TAKES_WITHIN_MS),
  appendSync: (bytes) => writeNow(fd, bytes).error,
});
