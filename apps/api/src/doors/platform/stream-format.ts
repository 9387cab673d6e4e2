/** The native stream: workers encode events as this door's frames, so they pass through as bytes. */
import { RECONNECT_MS, type StreamFormat } from "../../http/stream-format.ts";
import { jobLinks } from "./job-view.ts";

const reconnectAfter = (ms: number): string => `retry: ${Math.round(ms)}\n\n`;

export const stream: StreamFormat = {
  headers: ({ jobId, sessionId }) => ({
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-cache, no-transform",
    // Nginx would collect the events of a buffered response.
    "X-Accel-Buffering": "no",
    "X-Job-Id": jobId,
    ...(sessionId === null ? {} : { "X-Session-Id": sessionId }),
    Location: jobLinks(jobId).events,
  }),
  preamble: Buffer.from(reconnectAfter(RECONNECT_MS)),
  heartbeat: Buffer.from(": hb\n\n"),
  reconnectAfter,
  passThrough: true,
};
