/**
 * When the next call to Redis goes out. A quiet worker sends each token at once. A busy one gathers for some
 * milliseconds: every call wakes this process, Redis and the API.
 */

/** How long tokens are gathered, ms: what a busy worker adds to the lag of a token, and half of it on average. */
export const GATHER_MS = 8;
/** Above this rate a worker is busy: each call then carries several batches. */
const BUSY_PER_SECOND = 1_000;
/** The rate is counted over this time, ms. */
const WINDOW_MS = 100;

const BUSY_PER_WINDOW = (BUSY_PER_SECOND * WINDOW_MS) / 1_000;

export type Pace = {
  /** How long to wait before the next call, ms; 0: not at all. */
  wait(): number;
  /** A call with so many batches goes out. */
  sends(batches: number): void;
};

export function createPace(now: () => number = () => performance.now()): Pace {
  let isBusy = false;
  let sentAt = Number.NEGATIVE_INFINITY;
  let windowAt = Number.NEGATIVE_INFINITY;
  let inWindow = 0;
  return {
    wait: () => (isBusy ? Math.max(sentAt + GATHER_MS - now(), 0) : 0),
    sends(batches) {
      sentAt = now();
      const length = sentAt - windowAt;
      if (length >= WINDOW_MS) {
        // After a pause nothing is known of the rate.
        isBusy = length < 2 * WINDOW_MS && inWindow >= BUSY_PER_WINDOW;
        windowAt = sentAt;
        inWindow = 0;
      }
      inWindow += batches;
    },
  };
}
