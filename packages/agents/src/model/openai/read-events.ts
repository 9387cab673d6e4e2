/**
 * Reads Server-Sent Events. Each event is handed on within the read of the socket that brought it: nothing waits
 * between the socket and its reader.
 */
import { isUtf8 } from "node:buffer";
import type { Readable } from "node:stream";
import { SECOND } from "@agent-paas/shared/time.ts";
import { createParser } from "eventsource-parser";

/** `name` is the event's; a failure that a server writes as a field of its own is an event `error`. */
export type TakeEvent = (data: string, name?: string) => void;

/** The data of the event that ends a stream. */
export const LAST_EVENT = "[DONE]";
/** Most characters of one event, far above what providers send. */
const MAX_EVENT_CHARS = 8 * 1024 * 1024;
const TOO_LONG = `an event exceeds ${MAX_EVENT_CHARS} characters`;
/** How long a body may continue after its last event before its connection is closed. */
const REST_WITHIN_MS = SECOND;

/** Most characters of lines that are no events: such a body may be JSON or a page all the same. */
const MAX_OTHER_CHARS = 256 * 1024;

/**
 * Ends with the event that says so, or with the body; also when the body is destroyed. Rejects when the body breaks off
 * with an error, and with what `take` throws. A body without any event is one event.
 */
export function readEvents(body: Readable, take: TakeEvent): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let hasEnded = false;
  let hasEvents = false;
  let otherLines = "";

  function end(): void {
    if (hasEnded) return;
    hasEnded = true;
    drainThenDestroy(body);
    resolve();
  }

  function fail(error: unknown): void {
    if (hasEnded) return;
    hasEnded = true;
    body.destroy();
    reject(error);
  }

  function hand(data: string, name?: string): void {
    if (hasEnded) return;
    try {
      take(data, name);
    } catch (error) {
      fail(error);
      return;
    }
    if (isLast(data)) end();
  }

  const parser = createParser({
    onEvent({ data, event }) {
      hasEvents = true;
      hand(data, event);
    },
    onError(error) {
      if (error.type === "max-buffer-size-exceeded") fail(error);
      if (error.type !== "unknown-field" || hasEnded) return;
      // The standard demands to skip unknown fields. llama.cpp once wrote its failures as a field `error`.
      if (error.field === "error") hand(error.value ?? "", "error");
      else if (!hasEvents && otherLines.length < MAX_OTHER_CHARS) otherLines += `${error.line}\n`;
    },
    maxBufferSize: MAX_EVENT_CHARS,
  });
  const lines = createLines((text) => parser.feed(text));
  const decode = createDecoder();
  /** Between two events: the parser holds nothing. */
  let isBetween = false;

  body.on("data", (bytes: Buffer) => {
    if (hasEnded || body.destroyed) return;
    const text = decode(bytes);
    const read = isBetween ? readPlain(text, hand) : 0;
    if (read > 0) hasEvents = true;
    if (read === text.length) return;
    const open = lines.add(read === 0 ? text : text.slice(read));
    if (open > MAX_EVENT_CHARS) fail(new Error(TOO_LONG));
    isBetween = open === 0 && text.endsWith("\n\n");
  });
  body.on("end", () => {
    // Completes an event that no empty line follows.
    if (!hasEnded) lines.end();
    if (!hasEvents) for (const { data, name } of wholeAnswer(otherLines)) hand(data, name);
    end();
  });
  body.on("error", fail);
  body.on("close", end);
  return promise;
}

const PLAIN = "data: {";
const DATA_AT = PLAIN.length - 1;
const LINE_END = 10;

/**
 * Reads events as nearly all providers write them: one line of data, then an empty one. Returns how many characters
 * these have; whatever follows is for the parser.
 */
function readPlain(text: string, hand: TakeEvent): number {
  if (text.includes("\r")) return 0;
  let from = 0;
  while (text.startsWith(PLAIN, from)) {
    const end = text.indexOf("\n", from);
    if (end < 0 || text.charCodeAt(end + 1) !== LINE_END) break;
    hand(text.slice(from + DATA_AT, end));
    from = end + 2;
  }
  return from;
}

/** Servers rarely cut a character, and whole ones are decoded several times faster. */
function createDecoder(): (bytes: Buffer) => string {
  const decoder = new TextDecoder();
  /** From the first character that was cut on, and for the first bytes, which may be a mark of the coding. */
  let isCut = true;
  let isFirst = true;
  return (bytes) => {
    const isWhole = isUtf8(bytes);
    if (isFirst) {
      isFirst = false;
      isCut = !isWhole;
      return decoder.decode(bytes, { stream: true });
    }
    if (!isCut && isWhole) return bytes.toString();
    isCut = true;
    return decoder.decode(bytes, { stream: true });
  };
}

/** If the body ends soon, its connection can serve the next request; else it is closed. */
function drainThenDestroy(body: Readable): void {
  if (body.readableEnded || body.destroyed) return;
  const giveUp = setTimeout(() => body.destroy(), REST_WITHIN_MS);
  giveUp.unref();
  body.once("close", () => clearTimeout(giveUp));
  body.resume();
}

/** In either case, and as a JSON string, too. */
export function isLast(data: string): boolean {
  if (data.startsWith("{")) return false;
  const text = data
    .trimStart()
    .slice(0, LAST_EVENT.length + 1)
    .toUpperCase();
  return text.startsWith(LAST_EVENT) || text === `"${LAST_EVENT}`;
}

/** Hands whole lines on: the parser drops an unknown field of which it has seen only the beginning. */
function createLines(onLines: (text: string) => void) {
  let pieces: string[] = [];
  let length = 0;
  return {
    /** Returns the characters of the line that has begun. */
    add(text: string): number {
      const end = text.lastIndexOf("\n") + 1 || text.lastIndexOf("\r") + 1;
      if (end > 0) {
        onLines(length === 0 ? text.slice(0, end) : pieces.join("") + text.slice(0, end));
        pieces = [];
        length = 0;
      }
      if (end < text.length) {
        pieces.push(text.slice(end));
        length += text.length - end;
      }
      return length;
    },
    end(): void {
      onLines(`${pieces.join("")}\n\n`);
    },
  };
}

export type ServerEvent = { readonly data: string; readonly name?: string };

/** The events for a body without any: JSON is a whole answer; else something between the provider and us speaks. */
export function wholeAnswer(body: string): ServerEvent[] {
  const text = body.trim();
  if (text === "") return [];
  const isJson = text.startsWith("{") || text.startsWith("[");
  return isJson ? [{ data: text }, { data: LAST_EVENT }] : [{ name: "error", data: text }];
}
