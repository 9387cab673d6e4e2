/** How a door frames the events of a job as Server-Sent Events. */
import type { DecodedEvent } from "@agent-paas/shared/contract/events.ts";
import { SECOND } from "@agent-paas/shared/time.ts";

/** The media type of Server-Sent Events. */
export const EVENT_STREAM = "text/event-stream";

/** How long clients wait before they reconnect, ms. */
export const RECONNECT_MS = 2 * SECOND;

export type StreamedJob = { readonly jobId: string; readonly sessionId: string | null };

export const streamHeaders = ({ jobId, sessionId }: StreamedJob) => ({
  "Content-Type": `${EVENT_STREAM}; charset=utf-8`,
  "Cache-Control": "no-cache, no-transform",
  // Nginx would collect the events of a buffered response.
  "X-Accel-Buffering": "no",
  "X-Job-Id": jobId,
  ...(sessionId === null ? {} : { "X-Session-Id": sessionId }),
});

export type StreamFormat = {
  /** The response's headers, the Content-Type among them. */
  readonly headers: (job: StreamedJob) => Readonly<Record<string, string>>;
  /** What every stream begins with. As bytes: Node would keep a text, and the head before it, in pieces. */
  readonly preamble: Buffer;
  /** What keeps an idle connection open. */
  readonly heartbeat: Buffer;
  /** What a stream ends with that this process cannot go on with: the client is to come back in so long. */
  readonly reconnectAfter: (ms: number) => string;
  /**
   * Begins the translation of one response. Absent: the batches of the event log are this door's own frames, and go to
   * the socket as they are, undecoded.
   */
  readonly translate?: (job: StreamedJob) => Translate;
};

/**
 * The frames of an event; an empty text if the door's protocol has none for it. It may keep state: it gets every event
 * once, from the job's first one. A protocol that resumes leaves out the frames that its client has seen.
 */
export type Translate = (event: DecodedEvent) => string | LastFrames;

/** The frames with which a response ends although its job goes on: the protocol has another request go on with it. */
export type LastFrames = { readonly last: string };
