/**
 * How many open responses, streams and waits, one owner may have in this process. Counted here and not in Redis: what a
 * stream costs is a socket and buffers of this process, a count dies with the process that it is about, and a stream
 * must open while Redis is away.
 */
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { SECOND } from "@agent-paas/shared/time.ts";

/** Random, so that refused clients do not return at the same time. */
const retryAfterMs = () => (5 + 10 * Math.random()) * SECOND;

export type StreamShare = {
  /** Throws `open_streams_limit`. Returns the function that gives the place back; calling it again changes nothing. */
  take(owner: string): () => void;
};

export function createStreamShare(maxPerOwner: number): StreamShare {
  const open = new Map<string, number>();
  return {
    take(owner) {
      const count = open.get(owner) ?? 0;
      if (count >= maxPerOwner) throw new PlatformError("open_streams_limit", { retryAfterMs: retryAfterMs() });
      open.set(owner, count + 1);
      let isTaken = true;
      return () => {
        if (!isTaken) return;
        isTaken = false;
        const left = (open.get(owner) ?? 1) - 1;
        if (left === 0) open.delete(owner);
        else open.set(owner, left);
      };
    },
  };
}
