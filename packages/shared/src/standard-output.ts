/**
 * Standard output and standard error of a process that must never wait for whoever reads them. A terminal after Ctrl-S,
 * a stopped pager and a stuck log driver read nothing, for ever, and a write that blocks then ends with neither the
 * process nor its exit: not even `process.exit` returns while a thread of Node is in such a write.
 */
import { constants, fstatSync, openSync, type Stats, writeSync } from "node:fs";
import { isatty } from "node:tty";
import { isErrno, toError } from "./errors/errno.ts";

const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants;

export const STANDARD_OUTPUT = 1;
export const STANDARD_ERROR = 2;

/** What is about to exit, or writes between other work, waits so long for a reader that is busy. */
const SYNC_TAKES_WITHIN_MS = 300;
export const ASK_AGAIN_AFTER_MS = 20;

/** Returns a descriptor whose writes never wait: they fail with EAGAIN. Asked for before every write. */
export type NonBlocking = () => number;

/**
 * Pipes and terminals are opened again, because the mode belongs to what all holders of a descriptor share: another
 * program, a child that is given it, or the exit of either would make it block again. Sockets, and what another user
 * owns, cannot be opened again; their mode is set anew before every write.
 */
export function withoutWaiting(fd: number): NonBlocking {
  const own = openAgain(fd);
  keepNodeFromWaiting(fd);
  if (own !== null) return () => own;
  return () => {
    keepNodeFromWaiting(fd);
    return fd;
  };
}

function openAgain(fd: number): number | null {
  try {
    if (!mayWait(fstatSync(fd))) return null;
    return openSync(`/proc/self/fd/${fd}`, O_WRONLY | O_NONBLOCK | O_NOCTTY);
  } catch {
    // No such folder, not ours, or without a reader: the descriptor itself says more at the first write.
    return null;
  }
}

const mayWait = (stats: Stats): boolean => stats.isFIFO() || stats.isCharacterDevice();

/**
 * Node itself writes there too: its warnings, and the `console` of an agent. Creating Node's stream makes a pipe or a
 * socket non-blocking; for a terminal Node undoes that, and says nothing of how to have it otherwise.
 */
export function keepNodeFromWaiting(fd: number): void {
  try {
    if (!isatty(fd) && fstatSync(fd).isFile()) return;
    const stream = fd === STANDARD_OUTPUT ? process.stdout : fd === STANDARD_ERROR ? process.stderr : null;
    const handle: unknown = stream === null ? null : Reflect.get(stream, "_handle");
    if (typeof handle !== "object" || handle === null || !("setBlocking" in handle)) return;
    if (typeof handle.setBlocking === "function") handle.setBlocking(false);
  } catch {
    // A descriptor that is closed, or of a kind that Node does not know. A write says so.
  }
}

/** Writes what a busy reader takes in a short time. Nothing is waited for longer than `withinMs`. */
export function writeNow(
  fd: number,
  bytes: Buffer,
  withinMs = SYNC_TAKES_WITHIN_MS,
): { written: number; error: Error | null } {
  const giveUpAt = performance.now() + withinMs;
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

/** Writes lines at once, and waits for a reader once: not again before it has taken something. */
export function openSpeaker(fd: number): (text: string) => void {
  const nonBlocking = withoutWaiting(fd);
  let isStuck = false;
  return (text) => {
    const { error } = writeNow(nonBlocking(), Buffer.from(text), isStuck ? 0 : SYNC_TAKES_WITHIN_MS);
    isStuck = isErrno(error, "EAGAIN");
  };
}

/** For a process that exits before it has a log. */
export const sayOnStandardError = (text: string): void => openSpeaker(STANDARD_ERROR)(text);
