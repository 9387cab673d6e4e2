/** How a door frames the events of a job as Server-Sent Events. */
import { SECOND } from "@agent-paas/shared/time.ts";

/** The media type of Server-Sent Events. */
export const EVENT_STREAM = "text/event-stream";

/** How long clients wait before they reconnect, ms. */
export const RECONNECT_MS = 2 * SECOND;

export type StreamedJob = { readonly jobId: string; readonly sessionId: string | null };

export type StreamFormat = {
  /** The response's headers, the Content-Type among them. */
  readonly headers: (job: StreamedJob) => Readonly<Record<string, string>>;
  /** What every stream begins with. As bytes: Node would keep a text, and the head before it, in pieces. */
  readonly preamble: Buffer;
  /** What keeps an idle connection open. */
  readonly heartbeat: Buffer;
  /** What makes the client wait so long before it reconnects. */
  readonly reconnectAfter: (ms: number) => string;
  /** The batches of the event log are this door's own frames: they go to the socket as they are, undecoded. */
  readonly passThrough: true;
};
