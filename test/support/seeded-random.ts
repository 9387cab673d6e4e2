/** Random numbers that are equal in every run, so that a failure can be repeated. */
export type SeededRandom = {
  /** A whole number from `min` to `max`, both included. */
  int(min: number, max: number): number;
  pick<T>(from: readonly T[]): T;
  /** `count` different whole numbers from `min` to `max`, in rising order. */
  distinct(count: number, min: number, max: number): number[];
};

export function seededRandom(seed: number): SeededRandom {
  let state = seed;
  /** mulberry32: 0 ≤ x < 1. */
  function next(): number {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
  const int = (min: number, max: number) => min + Math.floor(next() * (max - min + 1));
  return {
    int,
    pick: (from) => from[int(0, from.length - 1)] as (typeof from)[number],
    distinct(count, min, max) {
      const drawn = new Set<number>();
      while (drawn.size < Math.min(count, max - min + 1)) drawn.add(int(min, max));
      return [...drawn].sort((a, b) => a - b);
    },
  };
}
