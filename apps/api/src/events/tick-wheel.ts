/**
 * One timer for thousands of streams: each joins a slot of the wheel and is called once per turn, so the work is
 * spread over the turn and a stream costs no timer of its own.
 */
const SLOTS = 16;

export type TickWheel = {
  /** Calls `tick` once per turn, the first time after at most one turn; returns how to leave. */
  join(tick: () => void): () => void;
  stop(): void;
};

export function createTickWheel(turnMs: number): TickWheel {
  const slots = Array.from({ length: SLOTS }, () => new Set<() => void>());
  let current = 0;
  const timer = setInterval(() => {
    current = (current + 1) % SLOTS;
    for (const tick of slots[current] ?? []) tick();
  }, turnMs / SLOTS);
  timer.unref();
  return {
    join(tick) {
      // The slot just called: a newcomer is due after a full turn.
      const slot = slots[current];
      slot?.add(tick);
      return () => slot?.delete(tick);
    },
    stop: () => clearInterval(timer),
  };
}
