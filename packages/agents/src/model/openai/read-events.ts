/**
 * Reads Server-Sent Events. The `data` of all events in one read of the socket are yielded together, so that tokens
 * which arrive together cost one `await` and not one each.
 */
import type { Readable } from "node:stream";
import { SECOND } from "@agent-paas/shared/time.ts";
import { createParser } from "eventsource-parser";

/** Above this many events that the reader has not taken, the socket is paused: otherwise they would fill the memory. */
const MAX_WAITING = 1_000;
/** Most characters of one event, far above what providers send. */
const MAX_EVENT_CHARS = 8 * 1024 * 1024;
/** How long a body may continue after its last event before its connection is closed. */
const REST_WITHIN_MS = SECOND;

/**
 * Ends with the event whose data begins with `last`, or with the body. Throws when the body breaks off with an error.
 * When the reader stops early, the connection is closed.
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
      // Unknown fields are skipped, as the standard demands.
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
    // Completes an event that no empty line follows.
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

/** If the body ends soon, its connection can serve the next request; else it is closed. */
function drainThenDestroy(body: Readable): void {
  if (body.readableEnded || body.destroyed) return;
  const giveUp = setTimeout(() => body.destroy(), REST_WITHIN_MS);
  giveUp.unref();
  body.once("close", () => clearTimeout(giveUp));
}
