/**
 * Ends connections whose peer acknowledges nothing. TCP probes only connections on which nothing is under way; a
 * request that is sent into a link which drops packets is repeated by the kernel for a quarter of an hour instead. Node
 * cannot set a shorter time (TCP_USER_TIMEOUT), but Linux tells how often it has repeated something in vain. Other
 * systems do not: there the limits of each request are the bound.
 */
import type { Socket } from "node:net";
import {
  type ConnectionId,
  connectionIdOf,
  readSending,
  tellsOfConnections,
} from "@agent-paas/shared/net/kernel-connections.ts";
import { SECOND } from "@agent-paas/shared/time.ts";

const LOOK_EVERY_MS = 1.5 * SECOND;
/** So many looks in a row find the same bytes repeated: 6 to 9 s after they were sent. */
const LOOKS = 5;

type Watched = {
  readonly id: ConnectionId;
  /** At the last look. */
  bytesRead: number;
  queued: number;
  /** Looks in a row at which the bytes were repeated and nothing had arrived. */
  inVain: number;
};

export type RepeatWatch = { watch(socket: Socket): void };

/** It runs while there are connections, and keeps no process alive. */
export function createRepeatWatch(): RepeatWatch {
  const sockets = new Map<Socket, Watched>();
  let timer: NodeJS.Timeout | undefined;
  let isLooking = false;

  async function look(): Promise<void> {
    if (isLooking) return;
    isLooking = true;
    try {
      const quiet = [...sockets].filter(([socket, watched]) => isQuiet(socket, watched));
      const sending = quiet.length === 0 ? null : await readSending(quiet.map(([, { id }]) => id));
      for (const [socket, watched] of quiet) {
        const { queued = 0, repeats = 0 } = sending?.get(watched.id.key) ?? {};
        const isRepeated = repeats > 0 && isQuiet(socket, watched);
        watched.inVain = isRepeated && (watched.inVain === 0 || queued >= watched.queued) ? watched.inVain + 1 : 0;
        watched.queued = queued;
        if (watched.inVain >= LOOKS) socket.destroy(noAcknowledgement());
      }
      for (const [socket, watched] of sockets) watched.bytesRead = socket.bytesRead;
    } catch {
      // The kernel does not tell; the limits of each request remain.
    } finally {
      isLooking = false;
    }
  }

  return {
    watch(socket) {
      const id = tellsOfConnections ? connectionIdOf(socket) : null;
      if (id === null) return;
      sockets.set(socket, { id, bytesRead: -1, queued: 0, inVain: 0 });
      timer ??= setInterval(() => void look(), LOOK_EVERY_MS).unref();
      socket.once("close", () => {
        sockets.delete(socket);
        if (sockets.size > 0) return;
        clearInterval(timer);
        timer = undefined;
      });
    },
  };
}

const isQuiet = (socket: Socket, { bytesRead }: Watched): boolean => socket.bytesRead === bytesRead;

const noAcknowledgement = () =>
  Object.assign(new Error("the peer has acknowledged nothing for 6 s"), { code: "ETIMEDOUT" });
