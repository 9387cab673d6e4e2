/**
 * Carries the messages of one call to its client: as events while the job runs, or as one JSON body at its end. Upholds
 * I9: a client that does not read holds a bounded number of bytes, and for a bounded time.
 */
import type { Response } from "express";
import type { StreamServices } from "../../http/sse-stream.ts";
import { EVENT_STREAM, RECONNECT_MS } from "../../http/stream-format.ts";

export type CallChannel = {
  /** Sends a message ahead of the result. False: the client cannot take more at present. */
  send(message: object, seq: number): boolean;
  /** Sends the result, and ends the response. */
  finish(message: object, seq: number): void;
  /** Ends the response without a result; the client comes back for it. */
  leave(): void;
  isClosedByClient(): boolean;
};

export type EventChannelOptions = {
  /** The id of an event behind a `seq`; null for streams that cannot be resumed. */
  readonly eventId: ((seq: number) => string) | null;
  /** Where a stream begins that can be resumed before its first message; null for none. */
  readonly primedAt: number | null;
  /** The client takes more again. */
  readonly onDrain: () => void;
  /** Now and then, while the client reads. */
  readonly onBeat: () => void;
  readonly onClose: () => void;
};

const HEARTBEAT = ": hb\n\n";
const reconnectAfter = (ms: number): string => `retry: ${Math.round(ms)}\n\n`;

export function openEventChannel(
  res: Response,
  { events, config }: StreamServices,
  { eventId, primedAt, onDrain, onBeat, onClose }: EventChannelOptions,
): CallChannel {
  let isOurs = false;
  let stalled: NodeJS.Timeout | undefined;

  function write(chunk: string): boolean {
    if (res.write(chunk)) return true;
    stalled ??= setTimeout(() => {
      isOurs = true;
      res.socket?.resetAndDestroy();
    }, config.SSE_STALLED_CLIENT_MS);
    return false;
  }
  function end(chunk: string): void {
    isOurs = true;
    write(chunk);
    res.end();
  }
  const frame = (data: string, seq: number): string =>
    `${eventId === null ? "" : `id: ${eventId(seq)}\n`}event: message\ndata: ${data}\n\n`;

  res.writeHead(200, {
    "Content-Type": `${EVENT_STREAM}; charset=utf-8`,
    "Cache-Control": "no-cache, no-transform",
    "X-Accel-Buffering": "no",
  });
  const primer = eventId === null || primedAt === null ? "" : `id: ${eventId(primedAt)}\ndata: \n\n`;
  write((eventId === null ? HEARTBEAT : reconnectAfter(RECONNECT_MS)) + primer);

  const unsubscribeFromWheel = events.wheel.subscribe(() => {
    if (res.writableEnded || res.writableNeedDrain) return;
    write(HEARTBEAT);
    onBeat();
  });
  res.on("drain", () => {
    clearTimeout(stalled);
    stalled = undefined;
    onDrain();
  });
  res.on("error", () => {});
  res.on("close", () => {
    clearTimeout(stalled);
    unsubscribeFromWheel();
    onClose();
  });

  return {
    send: (message, seq) => write(frame(JSON.stringify(message), seq)),
    finish: (message, seq) => end(frame(JSON.stringify(message), seq)),
    leave: () => end(reconnectAfter(RECONNECT_MS * (0.5 + Math.random()))),
    isClosedByClient: () => !isOurs,
  };
}

export type JsonChannelOptions = {
  readonly withinMs: number;
  readonly onTimeout: () => void;
  readonly onClose: () => void;
};

/** For clients that take no events. */
export function openJsonChannel(res: Response, { withinMs, onTimeout, onClose }: JsonChannelOptions): CallChannel {
  const timer = setTimeout(onTimeout, withinMs);
  res.on("close", () => {
    clearTimeout(timer);
    onClose();
  });
  return {
    send: () => true,
    finish: (message) => void res.json(message),
    leave: () => void res.destroy(),
    isClosedByClient: () => !res.writableEnded,
  };
}
