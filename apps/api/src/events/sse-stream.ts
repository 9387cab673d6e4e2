/**
 * Writes a job's events to one client as Server-Sent Events. Upholds:
 * - I7: a client that leaves, or stops reading, cancels nothing.
 * - I9: nothing is queued for a slow client; past a bound of time it is dropped, and can resume.
 */
import type { JobRow } from "@agent-paas/shared/db/rows.ts";
import type { Response } from "express";
import type { JobEventFanout } from "./job-event-fanout.ts";
import type { TickWheel } from "./tick-wheel.ts";

const PREAMBLE = "retry: 2000\n\n";
const HEARTBEAT = ": hb\n\n";

export type SseDeps = {
  readonly fanout: JobEventFanout;
  readonly wheel: TickWheel;
  readonly stalledClientMs: number;
  /** The streams that are open, for the process to end when it stops. */
  readonly openStreams: Set<Response>;
};

export type SseOptions = {
  readonly jobId: string;
  readonly sessionId: string | null;
  readonly after: number;
  readonly findEnded: () => Promise<JobRow | null>;
  readonly hasEnded: boolean;
};

/** Starts the stream; it ends by itself with the job's `done`, or when the client leaves. */
export function streamJobEvents(res: Response, deps: SseDeps, options: SseOptions): void {
  const { jobId, sessionId, after, findEnded, hasEnded } = options;
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
  deps.openStreams.add(res);

  let stalled: NodeJS.Timeout | undefined;
  const follower = deps.fanout.follow({
    jobId,
    after,
    findEnded,
    hasEnded,
    sink: {
      write(batch) {
        const flowing = res.write(batch);
        if (!flowing) stalled ??= setTimeout(() => res.destroy(), deps.stalledClientMs);
        return flowing;
      },
      end: () => res.end(),
    },
  });
  // No heartbeat into a full socket: it would be one more thing to queue for a client that does not read.
  const leaveWheel = deps.wheel.join(() => {
    if (!res.writableNeedDrain) res.write(HEARTBEAT);
  });
  res.on("drain", () => {
    clearTimeout(stalled);
    stalled = undefined;
    follower.resume();
  });
  // Not req's "close": that comes as soon as the body was read.
  res.on("close", () => {
    clearTimeout(stalled);
    leaveWheel();
    follower.close();
    deps.openStreams.delete(res);
  });
}
