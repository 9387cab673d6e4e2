/**
 * When the next call to Redis goes out. A quiet worker sends each token at once. A busy one gathers for some
 * milliseconds: every call wakes this process, Redis and the API, and costs as much as ten tokens by itself.
 */

/** Gathered are as many batches as come in this time, ms: what a busy worker adds to the lag of a token, at least. */
export const LEAST_GATHER_MS = 8;
/** The same at most, for workers that are barely busy. Streams of 50 tokens per second have 20 ms between two. */
export const MOST_GATHER_MS = 16;
/** As many batches in one call are enough. */
const ENOUGH_BATCHES = 40;
/** Above this rate a worker is busy. */
const BUSY_PER_SECOND = 1_000;
/** The rate is counted over this time, ms. */
const WINDOW_MS = 100;

export type Pace = {
  /** How long to wait before the next call, ms; 0: not at all. */
  wait(): number;
  /** A call with so many batches goes out. */
  sends(batches: number): void;
};

export function createPace(now: () => number = () => performance.now()): Pace {
  /** 0: the worker is quiet. */
  let gatherMs = 0;
  let sentAt = Number.NEGATIVE_INFINITY;
  let windowAt = Number.NEGATIVE_INFINITY;
  let inWindow = 0;

  function gatherFor(batches: number, inMs: number): number {
    const perMs = batches / inMs;
    if (1_000 * perMs < BUSY_PER_SECOND) return 0;
    return Math.min(Math.max(ENOUGH_BATCHES / perMs, LEAST_GATHER_MS), MOST_GATHER_MS);
  }

  return {
    wait: () => (gatherMs === 0 ? 0 : Math.max(sentAt + gatherMs - now(), 0)),
    sends(batches) {
      sentAt = now();
      const length = sentAt - windowAt;
      if (length >= WINDOW_MS) {
        // After a pause nothing is known of the rate.
        gatherMs = length < 2 * WINDOW_MS ? gatherFor(inWindow, length) : 0;
        windowAt = sentAt;
        inWindow = 0;
      }
      inWindow += batches;
    },
  };
}
