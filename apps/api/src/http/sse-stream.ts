/**
 * Writes a job's events to one client as Server-Sent Events. Upholds:
 * - I7: a client that leaves, or stops reading, cancels nothing.
 * - I9: nothing is queued for a slow client; past a bound of time it is dropped, and can resume.
 */
import type { JobRow } from "@agent-paas/shared/db/rows.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import type { Response } from "express";
import type { JobEventFanout } from "../events/job-event-fanout.ts";
import type { JobStage } from "../events/job-event-follower.ts";
import type { OpenResponses } from "../events/open-responses.ts";
import type { TimingWheel } from "../events/timing-wheel.ts";
import { createChunkedResponse } from "./chunked-response.ts";

/** How long clients wait before they reconnect, ms. */
const RECONNECT_MS = 2 * SECOND;
const reconnectAfter = (ms: number) => `retry: ${Math.round(ms)}\n\n`;

/** As bytes: Node would keep a text, and the head before it, in the pieces that they are made of. */
const PREAMBLE = Buffer.from(reconnectAfter(RECONNECT_MS));
const HEARTBEAT = Buffer.from(": hb\n\n");

export type SseDeps = {
  readonly fanout: JobEventFanout;
  readonly wheel: TimingWheel;
  readonly stalledClientMs: number;
  readonly openResponses: OpenResponses;
};

export type SseOptions = {
  readonly jobId: string;
  readonly sessionId: string | null;
  readonly after: number;
  readonly findEnded: () => Promise<JobRow | null>;
  readonly stage: JobStage;
};

/** Starts the stream; it ends by itself with the job's `done`, or when the client leaves. */
export function streamJobEvents(res: Response, deps: SseDeps, options: SseOptions): void {
  const { jobId, sessionId, after, findEnded, stage } = options;
  // The client left while its job was being looked up or accepted: its "close" has been, and would release nothing.
  if (res.destroyed) return;
  res.writeHead(200, {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-cache, no-transform",
    "X-Accel-Buffering": "no",
    "X-Job-Id": jobId,
    ...(sessionId === null ? {} : { "X-Session-Id": sessionId }),
    Location: `/api/v1/jobs/${jobId}/events`,
  });
  res.write(PREAMBLE);
  const answer = createChunkedResponse(res);

  let stalled: NodeJS.Timeout | undefined;
  const dropWhenStalled = () => {
    // Reset, because the kernel would keep for minutes, megabytes a client, what nobody reads.
    stalled ??= setTimeout(() => (res.socket ? res.socket.resetAndDestroy() : res.destroy()), deps.stalledClientMs);
  };
  const follower = deps.fanout.follow({
    jobId,
    after,
    findEnded,
    stage,
    sink: {
      write(batch) {
        const flowing = answer.write(batch);
        if (!flowing) dropWhenStalled();
        return flowing;
      },
      end: () => stop(),
    },
  });
  const unsubscribeFromWheel = deps.wheel.subscribe(() => {
    // No heartbeat into a full socket: it would be one more thing to queue for a client that does not read.
    if (!answer.isFull()) answer.write(HEARTBEAT);
  });

  const leave = () => {
    unsubscribeFromWheel();
    follower.close();
    forget();
  };
  /** Nothing is written any more; what was written is still on its way, for as long as a stalled client has. */
  const stop = () => {
    leave();
    dropWhenStalled();
    res.end();
  };
  /** This process stops, and all its clients go to others: spread over a time, so that they do not come at once. */
  const sendElsewhere = () => {
    res.write(reconnectAfter(RECONNECT_MS * (0.5 + Math.random())));
    stop();
  };
  const forget = deps.openResponses.add(sendElsewhere);
  answer.onDrain(() => {
    if (res.writableEnded) return;
    clearTimeout(stalled);
    stalled = undefined;
    follower.resume();
  });
  // A reset connection is told by "close", too.
  res.on("error", () => {});
  // Not req's "close": that comes as soon as the body was read.
  res.on("close", () => {
    clearTimeout(stalled);
    leave();
  });
}
