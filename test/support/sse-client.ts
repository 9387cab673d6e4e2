/** An SSE client that shares no code with the product: fetch and eventsource-parser. */
import { EventSourceParserStream } from "eventsource-parser/stream";

export type SseEvent = { readonly id: number; readonly event: string; readonly data: Record<string, unknown> };

export type SseStream = {
  readonly response: Response;
  readonly jobId: string;
  readonly sessionId: string | null;
  /** Events as they arrive; ends with the response. */
  events(): AsyncGenerator<SseEvent>;
  /** Reads to the end. */
  all(): Promise<SseEvent[]>;
  /** Drops the connection. */
  cut(): void;
};

/** Opens a stream; throws on an answer that is not a stream. `check` sees every event, and may throw. */
export async function openSse(
  url: string,
  init: RequestInit,
  check: (event: SseEvent) => void = () => {},
): Promise<SseStream> {
  const connection = new AbortController();
  const response = await fetch(url, { ...init, signal: connection.signal });
  if (response.status !== 200 || response.body === null) {
    throw new Error(`${url}: ${response.status} ${await response.text()}`);
  }
  const body = response.body;

  async function* events(): AsyncGenerator<SseEvent> {
    const parsed = body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
    for await (const { id, event, data } of parsed) {
      const seen = { id: Number(id), event: event ?? "message", data: JSON.parse(data) };
      check(seen);
      yield seen;
    }
  }

  return {
    response,
    jobId: response.headers.get("x-job-id") ?? "",
    sessionId: response.headers.get("x-session-id"),
    events,
    all: () => Array.fromAsync(events()),
    cut: () => connection.abort(),
  };
}

/** The data of the `thought` events of one type. */
export const thoughtsOf = (events: readonly SseEvent[], type: string) =>
  events.filter(({ event, data }) => event === "thought" && data.type === type).map(({ data }) => data);

/** The text that a client shows after these events. */
export function shownText(events: readonly SseEvent[]): string {
  let text = "";
  for (const { event, data } of events) {
    if (event !== "message") continue;
    text = data.type === "reset" ? String(data.content) : text + String(data.content);
  }
  return text;
}
