/** The native stream: workers encode events as this door's frames, so they pass through as bytes. */

import { JOB_EVENTS } from "@agent-paas/shared/contract/events.ts";
import { z } from "zod";
import { RECONNECT_MS, type StreamFormat, streamHeaders } from "../../http/stream-format.ts";
import { JOB_ID, SESSION_ID, USAGE } from "./examples.ts";
import { jobLinks } from "./job-view.ts";

const seq = z.int().min(1).describe("Rises within a job. `Last-Event-ID` and `after` continue behind it.");
const [thought, message, error, done] = JOB_EVENTS;
const DONE = { session_id: SESSION_ID, job_id: JOB_ID, status: "completed", usage: USAGE, finish_reason: "stop" };
const numbered = <E extends z.ZodObject>(event: E) => event.extend({ id: seq }).describe(event.description ?? "");

/** An event as a client receives it. */
export const StreamEventSchema = z
  .discriminatedUnion("event", [numbered(thought), numbered(message), numbered(error), numbered(done)])
  .meta({
    id: "StreamEvent",
    description: "One Server-Sent Event: its `id`, its `event`, and its `data` as parsed JSON.",
    examples: [
      { id: 1, event: "thought", data: { content: "Processing with chat_basic...", type: "status" } },
      { id: 2, event: "message", data: { content: "Hello!", type: "text" } },
      { id: 3, event: "error", data: { code: "model_timeout", message: "No answer in time.", retryable: true } },
      { id: 3, event: "done", data: DONE },
    ],
  });

const reconnectAfter = (ms: number): string => `retry: ${Math.round(ms)}\n\n`;

export const stream: StreamFormat = {
  headers: (job) => ({ ...streamHeaders(job), Location: jobLinks(job.jobId).events }),
  preamble: Buffer.from(reconnectAfter(RECONNECT_MS)),
  heartbeat: Buffer.from(": hb\n\n"),
  reconnectAfter,
};
