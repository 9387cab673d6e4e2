/**
 * Reads Server-Sent Events. The `data` of all events in one read of the socket are yielded together, so that tokens
 * which arrive together cost one `await` and not one each.
 */
import type { Readable } from "node:stream";
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

/**
 * Ends with the event that says so, or with the body. Throws when the body breaks off with an error.
 * When the reader stops early, the connection is closed. A body without any event is one event.
 */
export async function* readEvents(body: Readable): AsyncGenerator<readonly ServerEvent[]> {
  let waiting: ServerEvent[] = [];
  let ended = false;
  let failure: Error | null = null;
  let wake = () => {};
  let hasEvents = false;
  let otherLines = "";
  const parser = createParser({
    onEvent(event) {
      if (ended) return;
      hasEvents = true;
      waiting.push(event);
      if (isLast(event.data)) ended = true;
    },
    onError(error) {
      if (error.type === "max-buffer-size-exceeded") body.destroy(error);
      if (error.type !== "unknown-field" || ended) return;
      // The standard demands to skip unknown fields. llama.cpp once wrote its failures as a field `error`.
      if (error.field === "error") waiting.push({ event: "error", data: error.value ?? "" });
      else if (!hasEvents && otherLines.length < MAX_OTHER_CHARS) otherLines += `${error.line}\n`;
    },
    maxBufferSize: MAX_EVENT_CHARS,
  });
  const lines = createLines((text) => parser.feed(text));
  const decoder = new TextDecoder();
  body.on("data", (bytes: Buffer) => {
    if (ended || body.destroyed) return;
    if (lines.add(decoder.decode(bytes, { stream: true })) > MAX_EVENT_CHARS) body.destroy(new Error(TOO_LONG));
    if (waiting.length > MAX_WAITING) body.pause();
    if (waiting.length > 0 || ended) wake();
  });
  body.on("end", () => {
    // Completes an event that no empty line follows.
    if (!ended) lines.end();
    if (!hasEvents) waiting.push(...wholeAnswer(otherLines));
    ended = true;
    wake();
  });
  body.on("error", (error: Error) => {
    failure = error;
    wake();
  });
  try {
    while (waiting.length > 0 || !ended) {
      if (waiting.length > 0) {
        const taken = waiting;
        waiting = [];
        if (body.isPaused()) body.resume();
        yield taken;
      } else if (failure !== null) {
        throw failure;
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    if (ended) drainThenDestroy(body);
    else body.destroy();
  }
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
