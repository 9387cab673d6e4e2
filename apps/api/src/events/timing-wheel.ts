/**
 * One timer for thousands of streams: each subscribes to a slot and is called once per interval, so the work is
 * spread over the interval and a stream costs no timer of its own.
 */
const SLOTS = 16;

export type TimingWheel = {
  /** Calls `tick` once per interval, first after at most one interval. Returns the function that unsubscribes. */
  subscribe(tick: () => void): () => void;
  stop(): void;
};

export function createTimingWheel(intervalMs: number): TimingWheel {
  const slots = Array.from({ length: SLOTS }, () => new Set<() => void>());
  let current = 0;
  const timer = setInterval(() => {
    current = (current + 1) % SLOTS;
    for (const tick of slots[current] ?? []) tick();
  }, intervalMs / SLOTS);
  timer.unref();
  return {
    subscribe(tick) {
      // The slot just called: a new subscriber is due after a full interval.
      const slot = slots[current];
      slot?.add(tick);
      return () => slot?.delete(tick);
    },
    stop: () => clearInterval(timer),
  };
}
