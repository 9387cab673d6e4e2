/**
 * Replaces a connection to Redis that has fallen silent. A link can swallow everything without closing; TCP notices
 * only after minutes, and a peer that still acknowledges at TCP's level is never noticed.
 *
 * 1. A connection without a byte for `PING_AFTER_TICKS` gets a PING, and after `PROBE_AFTER_TICKS` a new connection
 *    asks whether Redis answers at all. If it does, the silent one is reset after `SILENT_TICKS_MAX`. That also holds
 *    before the connection is ready, for TLS, and in subscriber mode.
 * 2. While nobody gets an answer, nothing is reset: Redis may hang, and when it goes on, it would run the commands that
 *    it has already received, and run them again for the successor.
 * 3. Silence is counted in ticks of a timer, not by a clock: between two ticks the event loop has read what had
 *    arrived. A process that was blocked or paused therefore reads first and judges afterwards.
 * 4. A blocking command delays the reply to a PING, so none may block for longer than `MAX_BLOCK_MS`.
 */
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { Redis } from "ioredis";
import { SECOND } from "../time.ts";

const TICK_MS = SECOND / 2;
const PING_AFTER_TICKS = 6;
const PROBE_AFTER_TICKS = 12;
const SILENT_TICKS_MAX = 15;
const PROBE_WITHIN_MS = 2 * SECOND;

/** The longest time for which a command may block its connection: the PING must be answered in time. */
export const MAX_BLOCK_MS = 4 * SECOND;

/** After this silence a connection is reset, unless the process itself was blocked or Redis answers nobody. */
export const SILENCE_MAX_MS = SILENT_TICKS_MAX * TICK_MS;

/** Watches every socket of the client until the client closes it. `onSilent` is called when one is reset. */
export function watchSilence(redis: Redis, onSilent: () => void): void {
  let timer: NodeJS.Timeout | undefined;
  const stop = () => clearInterval(timer);

  redis.on("connect", () => {
    stop();
    const socket: Socket = redis.stream;
    let received = socket.bytesRead;
    let backlog = 0;
    let silentTicks = 0;
    let isProbing = false;
    /** The count of ticks at which Redis answered somebody else. A reply that comes with that answer needs a tick. */
    let answeredAt = Number.POSITIVE_INFINITY;

    async function probe(): Promise<void> {
      isProbing = true;
      if (await answersOthers(redis)) answeredAt = silentTicks;
      isProbing = false;
    }

    timer = setInterval(() => {
      // A large command on a slow link has no reply for long, but its backlog shrinks.
      const isDraining = socket.writableLength < backlog;
      backlog = socket.writableLength;
      if (socket.bytesRead !== received || isDraining) {
        received = socket.bytesRead;
        silentTicks = 0;
        answeredAt = Number.POSITIVE_INFINITY;
        return;
      }
      silentTicks += 1;
      if (silentTicks === PING_AFTER_TICKS && redis.status === "ready") redis.ping().catch(() => {});
      if (silentTicks >= PROBE_AFTER_TICKS && !isProbing && answeredAt > silentTicks) void probe();
      if (silentTicks < SILENT_TICKS_MAX || silentTicks < answeredAt + 2) return;
      stop();
      onSilent();
      reset(socket);
    }, TICK_MS).unref();
  });
  redis.on("close", stop);
  redis.on("end", stop);
}

/** Whether Redis answers a connection that is new, be it with an error: that it has too many clients, or is busy. */
async function answersOthers({ options }: Redis): Promise<boolean> {
  const limits = { connectTimeout: PROBE_WITHIN_MS, commandTimeout: PROBE_WITHIN_MS, retryStrategy: () => null };
  const probe = new Redis({ ...options, ...limits, enableOfflineQueue: true, lazyConnect: false });
  let hasAnswered = false;
  const note = (error: Error) => {
    hasAnswered ||= error.name === "ReplyError";
  };
  probe.on("error", note);
  try {
    await probe.ping();
    return true;
  } catch (error) {
    if (error instanceof Error) note(error);
    return hasAnswered;
  } finally {
    probe.disconnect();
  }
}

/** A reset drops what the link has not taken. After a close the kernel would deliver old commands after new ones. */
function reset(socket: Socket): void {
  if (socket instanceof TLSSocket) socket.destroy();
  else socket.resetAndDestroy();
}
