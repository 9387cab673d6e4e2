/**
 * Bounds what the kernel holds for a client that does not read (I9). A socket takes everything until the kernel's send
 * buffer is full, which may be megabytes; so each stream has a window of bytes that the client has not acknowledged,
 * and a full window counts as a full socket.
 *
 * The kernel is asked only when a window is half full, and for all of them together. Where it cannot be asked (not
 * Linux), windows are never full, and the kernel's own buffers are the bound.
 */
import type { Socket } from "node:net";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import { type ConnectionId, connectionIdOf, readSending } from "@agent-paas/shared/net/kernel-connections.ts";
import { SECOND } from "@agent-paas/shared/time.ts";

export type SendWindow = {
  /** So many bytes were written to the socket. */
  wrote(bytes: number): void;
  isFull(): boolean;
  close(): void;
};

export type SendWindowListener = {
  /** The window was full and takes bytes again. */
  onRoom(): void;
  /** The window is full, and the client reads: slowly. */
  onProgress(): void;
};

export type SendWindows = {
  open(socket: Socket | null, listener: SendWindowListener): SendWindow;
  stop(): void;
};

const LEAST_PAUSE_MS = 5;
/** While no client reads, each pause is twice as long as the one before, up to this. */
const MOST_PAUSE_MS = SECOND;
/** A look takes the longer the more connections the machine has; most of the time passes between looks. */
const PAUSE_PER_LOOK = 2;

type OpenWindow = {
  readonly id: ConnectionId;
  readonly socket: Socket;
  readonly listener: SendWindowListener;
  /** Written since the stream began, and of that what is acknowledged for certain. */
  written: number;
  acknowledged: number;
  isFull: boolean;
};

const NO_WINDOW: SendWindow = { wrote: () => {}, isFull: () => false, close: () => {} };

export function createSendWindows(windowBytes: number, logger: Pick<Logger, "warn">): SendWindows {
  const windows = new Set<OpenWindow>();
  let isReadable = process.platform === "linux";
  let timer: NodeJS.Timeout | undefined;
  let isLooking = false;
  let pauseMs = LEAST_PAUSE_MS;
  let lookMs = 0;

  const unread = ({ written, acknowledged }: OpenWindow) => written - acknowledged;
  const needsLook = (window: OpenWindow) => unread(window) > windowBytes / 2;

  function schedule(): void {
    if (timer !== undefined || isLooking || !isReadable) return;
    timer = setTimeout(
      async () => {
        timer = undefined;
        isLooking = true;
        await look();
        isLooking = false;
        if ([...windows].some(needsLook)) schedule();
      },
      Math.max(pauseMs, PAUSE_PER_LOOK * lookMs),
    );
    timer.unref();
  }

  /** The clients of others may have stopped reading long ago: the one whose window has just filled may read on. */
  function hurry(): void {
    if (pauseMs === LEAST_PAUSE_MS) return;
    pauseMs = LEAST_PAUSE_MS;
    clearTimeout(timer);
    timer = undefined;
  }

  async function look(): Promise<void> {
    const startedAt = performance.now();
    pauseMs = Math.min(MOST_PAUSE_MS, 2 * pauseMs);
    // Bytes that are written during the look may be in the kernel's number already: they count twice until the next.
    const looked = [...windows]
      .filter(needsLook)
      // Node holds what the kernel has not taken yet.
      .map((window) => ({ window, written: window.written - window.socket.writableLength }));
    try {
      const sending = await readSending(looked.map(({ window }) => window.id));
      for (const { window, written } of looked) {
        if (update(window, written - (sending.get(window.id.key)?.queued ?? 0))) pauseMs = LEAST_PAUSE_MS;
      }
    } catch (err) {
      isReadable = false;
      logger.warn({ err }, "the kernel does not say what clients have not read: its send buffers are the bound");
      for (const window of windows) makeRoom(window);
    }
    lookMs = performance.now() - startedAt;
  }

  /** Returns whether the client has read since the last look. */
  function update(window: OpenWindow, acknowledged: number): boolean {
    if (!windows.has(window) || acknowledged <= window.acknowledged) return false;
    window.acknowledged = acknowledged;
    if (!window.isFull) return true;
    if (unread(window) <= windowBytes / 2) makeRoom(window);
    else window.listener.onProgress();
    return true;
  }

  function makeRoom(window: OpenWindow): void {
    if (!window.isFull) return;
    window.isFull = false;
    window.listener.onRoom();
  }

  return {
    open(socket, listener) {
      const id = socket === null || !isReadable ? null : connectionIdOf(socket);
      if (id === null || socket === null) return NO_WINDOW;
      const window: OpenWindow = { id, socket, listener, written: 0, acknowledged: 0, isFull: false };
      windows.add(window);
      return {
        wrote(bytes) {
          window.written += bytes;
          if (!isReadable || !needsLook(window)) return;
          if (unread(window) > windowBytes && !window.isFull) {
            window.isFull = true;
            hurry();
          }
          schedule();
        },
        isFull: () => window.isFull,
        close: () => void windows.delete(window),
      };
    },
    stop: () => clearTimeout(timer),
  };
}
