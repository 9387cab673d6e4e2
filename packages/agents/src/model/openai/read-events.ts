/**
 * Reads Server-Sent Events. The `data` of all events in one read of the socket are yielded together, so that tokens
 * which arrive together cost one `await` and not one each.
 */
import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { SECOND } from "@agent-paas/shared/time.ts";
import { createParser } from "eventsource-parser";

/** `event` is the event's name; a failure that a server writes as a field of its own is an event `error`. */
export type ServerEvent = { readonly event?: string | undefined; readonly data: string };

/** The data of the event that ends a stream. */
export const LAST_EVENT = "[DONE]";
/** Above this many events that the reader has not taken, the socket is paused: otherwise they would fill the memory. */
const MAX_WAITING = 1_000;
/** Most characters of one event, far above what providers send. */
const MAX_EVENT_CHARS = 8 * 1024 * 1024;
const TOO_LONG = `an event exceeds ${MAX_EVENT_CHARS} characters`;
/** How long a body may continue after its last event before its connection is closed. */
const REST_WITHIN_MS = SECOND;

/** Most characters of lines that are no events: such a body may be JSON or a page all the same. */
const MAX_OTHER_CHARS = 256 * 1024;

/** The events of one read of the body at a time. */
export type EventReader = AsyncIterableIterator<readonly ServerEvent[], undefined, undefined> & {
  /** Closes the body, unless it has ended. Safe to call twice. */
  return(): Promise<IteratorReturnResult<undefined>>;
};

type Waiting = {
  readonly resolve: (result: IteratorResult<readonly ServerEvent[], undefined>) => void;
  readonly reject: (error: Error) => void;
};

const OVER = { done: true, value: undefined } as const;

/**
 * Ends with the event that says so, or with the body. Throws when the body breaks off with an error.
 * When the reader stops early, the connection is closed. A body without any event is one event.
 *
 * Not a generator: each of its values would cost several promises, and nearly every token is a value of its own.
 */
export function readEvents(body: Readable): EventReader {
  let events: ServerEvent[] = [];
  let ended = false;
  let closed = false;
  let failure: Error | null = null;
  let reader: Waiting | null = null;
  let hasEvents = false;
  let otherLines = "";
  const parser = createParser({
    onEvent(event) {
      if (ended) return;
      hasEvents = true;
      events.push(event);
      if (isLast(event.data)) ended = true;
    },
    onError(error) {
      if (error.type === "max-buffer-size-exceeded") body.destroy(error);
      if (error.type !== "unknown-field" || ended) return;
      // The standard demands to skip unknown fields. llama.cpp once wrote its failures as a field `error`.
      if (error.field === "error") events.push({ event: "error", data: error.value ?? "" });
      else if (!hasEvents && otherLines.length < MAX_OTHER_CHARS) otherLines += `${error.line}\n`;
    },
    maxBufferSize: MAX_EVENT_CHARS,
  });
  const lines = createLines((text) => parser.feed(text));
  const decoder = new StringDecoder("utf8");
  body.on("data", (bytes: Buffer) => {
    if (ended || body.destroyed) return;
    if (lines.add(decoder.write(bytes)) > MAX_EVENT_CHARS) body.destroy(new Error(TOO_LONG));
    if (events.length > MAX_WAITING) body.pause();
    if (events.length > 0 || ended) wake();
  });
  body.on("end", () => {
    // Completes an event that no empty line follows.
    if (!ended) lines.end();
    if (!hasEvents) events.push(...wholeAnswer(otherLines));
    ended = true;
    wake();
  });
  body.on("error", (error: Error) => {
    failure = error;
    wake();
  });

  function wake(): void {
    const waiting = reader;
    reader = null;
    if (waiting !== null) take(waiting);
  }

  function take(waiting: Waiting): void {
    if (events.length > 0 && !closed) {
      const value = events;
      events = [];
      if (body.isPaused()) body.resume();
      waiting.resolve({ done: false, value });
    } else if (ended || closed) {
      close();
      waiting.resolve(OVER);
    } else if (failure !== null) {
      close();
      waiting.reject(failure);
    } else {
      reader = waiting;
    }
  }

  function close(): void {
    if (closed) return;
    closed = true;
    if (ended) drainThenDestroy(body);
    else body.destroy();
  }

  return {
    next: () => new Promise((resolve, reject) => take({ resolve, reject })),
    async return() {
      close();
      return OVER;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/** If the body ends soon, its connection can serve the next request; else it is closed. */
function drainThenDestroy(body: Readable): void {
  if (body.readableEnded || body.destroyed) return;
  const giveUp = setTimeout(() => body.destroy(), REST_WITHIN_MS);
  giveUp.unref();
  body.once("close", () => clearTimeout(giveUp));
}

const isLast = (data: string): boolean => !data.startsWith("{") && data.trimStart().startsWith(LAST_EVENT);

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

/** The events for a body without any: JSON is a whole answer; else something between the provider and us speaks. */
export function wholeAnswer(body: string): ServerEvent[] {
  const text = body.trim();
  if (text === "") return [];
  const isJson = text.startsWith("{") || text.startsWith("[");
  return isJson ? [{ data: text }, { data: LAST_EVENT }] : [{ event: "error", data: text }];
}
