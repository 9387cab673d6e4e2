/**
 * Reads Server-Sent Events: the `data` of all events that one read of the socket brings are handed over together, so that a
 * token costs no wait of its own when many come at once.
 */
import type { Readable } from "node:stream";
import { SECOND } from "@agent-paas/shared/time.ts";
import { createParser } from "eventsource-parser";

/** From so many events that are not taken the socket is not read: the reader is behind. */
const MAX_WAITING = 1_000;
/** Of one event; no provider comes near it. */
const MAX_EVENT_CHARS = 8 * 1024 * 1024;
/** How long a body may go on behind its last event before its connection is given up. */
const REST_WITHIN_MS = SECOND;

/**
 * Ends with the event whose data begins with `last`, or with the body. Throws when the body breaks off with an error. A reader that
 * leaves before that closes the connection.
 */
export async function* readEvents(body: Readable, last: string): AsyncGenerator<readonly string[]> {
  let waiting: string[] = [];
  let ended = false;
  let failure: Error | null = null;
  let wake = () => {};
  const parser = createParser({
    onEvent({ data }) {
      if (data.startsWith(last)) ended = true;
      else if (!ended) waiting.push(data);
    },
    onError(error) {
      // A field that is none is skipped, as the standard says.
      if (error.type === "max-buffer-size-exceeded") body.destroy(error);
    },
    maxBufferSize: MAX_EVENT_CHARS,
  });
  const decoder = new TextDecoder();
  body.on("data", (bytes: Buffer) => {
    if (ended || body.destroyed) return;
    parser.feed(decoder.decode(bytes, { stream: true }));
    if (waiting.length > MAX_WAITING) body.pause();
    if (waiting.length > 0 || ended) wake();
  });
  body.on("end", () => {
    // An event that no empty line follows.
    if (!ended) parser.feed("\n\n");
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

/** A body that ends soon leaves its connection to the next request. */
function drainThenDestroy(body: Readable): void {
  if (body.readableEnded || body.destroyed) return;
  const giveUp = setTimeout(() => body.destroy(), REST_WITHIN_MS);
  giveUp.unref();
  body.once("close", () => clearTimeout(giveUp));
}
