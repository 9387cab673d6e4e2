/** Clients that read a stream to its end while the test acts on the job. */
import type { ApiClient } from "./api-client.ts";
import type { SseEvent, SseStream } from "./sse-client.ts";
import { waitFor } from "./wait-for.ts";

export type BackgroundReader = {
  /** What has arrived until now. */
  readonly seen: readonly SseEvent[];
  /** All events; resolves when the stream has ended. */
  readonly whole: Promise<readonly SseEvent[]>;
};

export const isText = ({ event, data }: SseEvent) => event === "message" && data.type === "text";

export const countTexts = (events: readonly SseEvent[]) => events.filter(isText).length;

export function readInBackground(stream: SseStream): BackgroundReader {
  const seen: SseEvent[] = [];
  const read = async () => {
    for await (const event of stream.events()) seen.push(event);
    return seen;
  };
  return { seen, whole: read() };
}

/** Resolves when the client has seen some of the answer. */
export async function readSome(stream: SseStream, texts = 5): Promise<BackgroundReader> {
  const reader = readInBackground(stream);
  await waitFor("some of the answer", () => countTexts(reader.seen) >= texts);
  return reader;
}

/**
 * Reads a stream to its end, and requests the cancellation of its job once, after the first event for which `isTime`.
 */
export async function cancelDuring(
  client: ApiClient,
  stream: SseStream,
  isTime: (event: SseEvent, seen: readonly SseEvent[]) => boolean,
): Promise<SseEvent[]> {
  const events: SseEvent[] = [];
  let isRequested = false;
  for await (const event of stream.events()) {
    events.push(event);
    if (isRequested || !isTime(event, events)) continue;
    isRequested = true;
    const { status } = await client.cancel(stream.jobId);
    if (status !== 202) throw new Error(`the cancellation of ${stream.jobId} was answered with ${status}`);
  }
  if (!isRequested) throw new Error(`${stream.jobId} ended before the event at which it was to be cancelled`);
  return events;
}
