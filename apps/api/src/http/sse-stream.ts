/**
 * Writes a job's events to one client as Server-Sent Events, in the format of the client's door. Upholds:
 * - I7: a client that leaves, or stops reading, cancels nothing.
 * - I9: nothing is queued for a slow client, and the kernel holds a bounded number of bytes for it; past a bound of
 *   time its connection is reset, and it can resume.
 */
import { decodeEvents } from "@agent-paas/shared/contract/events.ts";
import type { JobRow } from "@agent-paas/shared/db/rows.ts";
import type { Response } from "express";
import type { ApiConfig } from "../config.ts";
import { followJob, type JobStage } from "../events/job-event-follower.ts";
import type { EventServices } from "../services.ts";
import { createChunkedResponse } from "./chunked-response.ts";
import { RECONNECT_MS, type StreamedJob, type StreamFormat, type Translate } from "./stream-format.ts";

/** A part of the API's services. */
export type StreamServices = {
  readonly events: EventServices;
  readonly config: Pick<ApiConfig, "SSE_STALLED_CLIENT_MS">;
};

export type StreamOptions = StreamedJob & {
  /** The last `seq` that the client has seen; 0 for none, and for formats that translate. */
  readonly after: number;
  readonly findEnded: () => Promise<JobRow | null>;
  /** Whether a queue or the database knows the job. */
  readonly isKnown: () => Promise<boolean>;
  readonly stage: JobStage;
};

/** Starts the stream; it ends with the job's `done`, or when the client leaves. */
export function streamJobEvents(
  res: Response,
  { events, config }: StreamServices,
  format: StreamFormat,
  options: StreamOptions,
): void {
  const { jobId, sessionId, after, findEnded, isKnown, stage } = options;
  const translate = format.translate?.(options);
  // The client left while its job was looked up or accepted: "close" was emitted before, so nothing would be released.
  if (res.destroyed) return;
  res.writeHead(200, format.headers(options));
  res.write(format.preamble);
  const body = createChunkedResponse(res);

  const window = events.sendWindows.open(res.socket, {
    onRoom: () => resume(),
    // It reads, if slowly: its time begins anew.
    onProgress: () => stalled?.refresh(),
  });
  const isFull = () => body.isFull() || window.isFull();

  let stalled: NodeJS.Timeout | undefined;
  const dropWhenStalled = () => {
    // Reset, because after a plain close the kernel would keep megabytes of unread data per client for minutes.
    stalled ??= setTimeout(
      () => (res.socket ? res.socket.resetAndDestroy() : res.destroy()),
      config.SSE_STALLED_CLIENT_MS,
    );
  };
  const follower = followJob(events, {
    jobId,
    sessionId,
    after,
    findEnded,
    isKnown,
    stage,
    sink: {
      write(batch) {
        const { frames, isLast } = translate === undefined ? { frames: batch } : translateBatch(batch, translate);
        const flowing = body.write(frames);
        window.wrote(frames.length);
        if (isLast) stop();
        if (isLast) return true;
        if (flowing && !window.isFull()) return true;
        dropWhenStalled();
        return false;
      },
      end: () => stop(),
    },
  });
  const unsubscribeFromWheel = events.wheel.subscribe(() => {
    // A full socket gets no heartbeat, because it would only queue more for a client that does not read.
    if (isFull()) return;
    body.write(format.heartbeat);
    window.wrote(format.heartbeat.length);
  });

  const leave = () => {
    unsubscribeFromWheel();
    follower.close();
    removeOpenResponse();
  };
  /** Writes nothing more; what was written is still delivered, within the time of a stalled client. */
  const stop = () => {
    leave();
    dropWhenStalled();
    res.end();
  };
  /** This process stops: its clients reconnect to others, at random times so that they do not arrive at once. */
  const sendElsewhere = () => {
    res.write(format.reconnectAfter(RECONNECT_MS * (0.5 + Math.random())));
    stop();
  };
  const removeOpenResponse = events.openResponses.add(sendElsewhere);
  const resume = () => {
    if (res.writableEnded || isFull()) return;
    clearTimeout(stalled);
    stalled = undefined;
    follower.resume();
  };
  body.onDrain(resume);
  // A reset connection emits "close" too, which releases everything.
  res.on("error", () => {});
  // Not the request's "close", which is emitted as soon as the body was read.
  res.on("close", () => {
    window.close();
    clearTimeout(stalled);
    leave();
  });
}

function translateBatch(batch: Buffer, translate: Translate): { readonly frames: Buffer; readonly isLast?: boolean } {
  let frames = "";
  for (const event of decodeEvents(batch)) {
    const translated = translate(event);
    if (typeof translated !== "string") return { frames: Buffer.from(frames + translated.last), isLast: true };
    frames += translated;
  }
  return { frames: Buffer.from(frames) };
}
