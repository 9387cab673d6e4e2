/**
 * Replaces a connection to Redis that has fallen silent. A link can swallow everything without closing; TCP notices
 * only after minutes, and a peer that still acknowledges at TCP's level is never noticed.
 *
 * 1. A connection that has received nothing for `PING_AFTER_TICKS` gets a PING. Without any byte for
 *    `SILENT_TICKS_MAX` it is reset, and the client reconnects at once. That also holds before it is ready, for TLS,
 *    and for connections in subscriber mode.
 * 2. Silence is counted in ticks of a timer, not by a clock: between two ticks the event loop has read what had
 *    arrived. A process that was blocked or paused therefore reads first and judges afterwards.
 * 3. A blocking command delays the reply to a PING, so none may block for longer than `MAX_BLOCK_MS`.
 */
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { Redis } from "ioredis";
import { SECOND } from "../time.ts";

const TICK_MS = SECOND / 2;
const PING_AFTER_TICKS = 6;
const SILENT_TICKS_MAX = 15;

/** The longest time for which a command may block its connection: the PING must be answered in time. */
export const MAX_BLOCK_MS = 4 * SECOND;

/** After this silence a connection is reset, unless the process itself was blocked. */
export const SILENCE_MAX_MS = SILENT_TICKS_MAX * TICK_MS;

/** Watches every socket of the client until the client closes it. `onSilent` is called when one is reset. */
export function watchSilence(redis: Redis, onSilent: () => void): void {
  let timer: NodeJS.Timeout | undefined;
  const stop = () => clearInterval(timer);

  redis.on("connect", () => {
    stop();
    const socket: Socket = redis.stream;
    let received = socket.bytesRead;
    let silentTicks = 0;
    timer = setInterval(() => {
      if (socket.bytesRead !== received) {
        received = socket.bytesRead;
        silentTicks = 0;
        return;
      }
      silentTicks += 1;
      if (silentTicks === PING_AFTER_TICKS && redis.status === "ready") redis.ping().catch(() => {});
      if (silentTicks < SILENT_TICKS_MAX) return;
      stop();
      onSilent();
      reset(socket);
    }, TICK_MS).unref();
  });
  redis.on("close", stop);
  redis.on("end", stop);
}

/** A reset drops what the link has not taken. After a close the kernel would deliver old commands after new ones. */
function reset(socket: Socket): void {
  if (socket instanceof TLSSocket) socket.destroy();
  else socket.resetAndDestroy();
}
