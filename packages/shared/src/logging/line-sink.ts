/**
 * The way of log lines to one output. Serving never depends on it: lines that cannot be written are dropped and
 * counted, that is reported, and writing goes on when the output takes lines again.
 */
import { toError } from "../errors/errno.ts";
import { SECOND } from "../time.ts";
import type { Chunk, LogOutput } from "./log-output.ts";

/** The longest time that a line waits for others to be written with, ms. */
const MAX_BUFFERED_MS = 50;
/** What an output that is slow may leave unwritten, in characters. */
const MAX_PENDING = 16 * 1024 * 1024;
const MAX_CHUNK = 1024 * 1024;
/** How long an output that has failed is left alone. */
const RETRY_AFTER_MS = SECOND;
/** So long after its last failure an output is asked to take the line that says what was dropped. */
const RECOVERED_AFTER_MS = 5 * SECOND;

export type SinkReports = {
  /** Called at each failure. `dropped`: all lines since the output began to fail. */
  readonly failed: (error: Error, dropped: number) => void;
  readonly recovered: (dropped: number) => void;
  /** The line that the output takes first when it has recovered. */
  readonly recoveryLine: (dropped: number) => string;
};

export type LineSink = {
  write(line: string): void;
  /** Writes what is pending now, without waiting for more lines. */
  send(): void;
  /** Resolves when what is pending now is written or dropped. */
  flush(): Promise<void>;
  /** For a process that is about to exit. */
  flushSync(): void;
};

/**
 * `failing`: lines are dropped with each try that fails. `recovering`: nothing has failed for a while, and what comes
 * next is the line that states the count.
 */
type Health =
  | { readonly state: "ok" }
  | { readonly state: "failing"; readonly dropped: number; readonly failedAt: number }
  | { readonly state: "recovering"; readonly dropped: number; readonly failedAt: number };

const OK: Health = { state: "ok" };

const droppedIn = (health: Health): number => (health.state === "ok" ? 0 : health.dropped);

export function createLineSink(output: LogOutput, reports: SinkReports): LineSink {
  let pending: string[] = [];
  let pendingLength = 0;
  let writing: Chunk | null = null;
  let timer: NodeJS.Timeout | undefined;
  /** Somebody wants the lines written that came while others were. */
  let isWanted = false;
  const flushed: (() => void)[] = [];

  let health = OK;
  let recovery: NodeJS.Timeout | undefined;

  function fail(error: Error, lines: number): void {
    const dropped = droppedIn(health) + lines + pending.length;
    pending = [];
    pendingLength = 0;
    health = { state: "failing", dropped, failedAt: performance.now() };
    clearTimeout(recovery);
    recovery = setTimeout(recover, RECOVERED_AFTER_MS).unref();
    reports.failed(error, dropped);
  }

  function recover(): void {
    if (health.state !== "failing") return;
    health = { ...health, state: "recovering" };
    send();
  }

  function takeLines(maxLength: number): string {
    let count = 0;
    let length = 0;
    while (count < pending.length && (count === 0 || length < maxLength)) length += pending[count++]?.length ?? 0;
    pendingLength -= length;
    return pending.splice(0, count).join("");
  }

  function send(isUrgent = false): void {
    clearTimeout(timer);
    timer = undefined;
    isWanted = writing !== null;
    if (isWanted || (pending.length === 0 && health.state !== "recovering")) return;
    const waitMs = health.state === "ok" || isUrgent ? 0 : health.failedAt + RETRY_AFTER_MS - performance.now();
    if (waitMs > 0) timer = setTimeout(send, waitMs).unref();
    else void appendNext();
  }

  function sendSoon(): void {
    timer ??= setTimeout(send, MAX_BUFFERED_MS).unref();
  }

  async function appendNext(): Promise<void> {
    const before = health;
    const statement = Buffer.from(before.state === "recovering" ? reports.recoveryLine(before.dropped) : "");
    const chunk: Chunk = {
      bytes: Buffer.concat([statement, Buffer.from(takeLines(MAX_CHUNK))]),
      written: 0,
      state: "queued",
    };
    writing = chunk;
    const error = await output.append(chunk).catch(toError);
    writing = null;
    if (before.state === "recovering" && chunk.written >= statement.length) stated(before.dropped, health === before);
    if (error !== null && chunk.state !== "taken") {
      fail(error, linesIn(chunk.bytes.subarray(Math.max(chunk.written, statement.length))));
    } else if (before.state === "recovering" && health.state === "ok") {
      reports.recovered(before.dropped);
    }
    if (isWanted || flushed.length > 0 || pendingLength >= MAX_CHUNK || health.state !== "ok") send();
    else if (pending.length > 0) sendSoon();
    if (writing === null) for (const resolve of flushed.splice(0)) resolve();
  }

  /** The output has the count. Lines may have been dropped since it was asked to take it. */
  function stated(count: number, isWhole: boolean): void {
    if (isWhole) health = OK;
    else if (health.state !== "ok") health = { ...health, dropped: health.dropped - count };
  }

  return {
    write(line) {
      if (pendingLength + line.length > MAX_PENDING) return fail(new Error("too many lines wait to be written"), 1);
      pending.push(line);
      pendingLength += line.length;
      sendSoon();
    },
    send: () => send(),
    flush() {
      send(true);
      return writing === null ? Promise.resolve() : new Promise((resolve) => flushed.push(resolve));
    },
    flushSync() {
      const rest = writing?.state === "queued" ? writing.bytes.subarray(writing.written) : Buffer.alloc(0);
      const bytes = Buffer.concat([rest, Buffer.from(takeLines(Number.POSITIVE_INFINITY))]);
      if (bytes.length === 0) return;
      if (writing?.state === "queued") writing.state = "taken";
      const error = output.appendSync(bytes);
      if (error !== null) fail(error, linesIn(bytes));
    },
  };
}

function linesIn(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf("\n"); at !== -1; at = bytes.indexOf("\n", at + 1)) count++;
  return count;
}
