import { setTimeout as delay } from "node:timers/promises";

const POLL_MS = 20;

/** Polls `find` until it returns something other than undefined, null and false; throws when the time is up. */
export async function waitFor<T>(
  what: string,
  find: () => Promise<T | undefined | null | false> | T | undefined | null | false,
  withinMs = 20_000,
): Promise<T> {
  const giveUpAt = performance.now() + withinMs;
  for (;;) {
    const found = await find();
    if (found !== undefined && found !== null && found !== false) return found;
    if (performance.now() > giveUpAt) throw new Error(`waited ${withinMs} ms in vain for ${what}`);
    await delay(POLL_MS);
  }
}

/**
 * The promise's value; throws when the time is up. For bounds that the product states, and far above what it needs on
 * an idle machine: a failure then means that something else was waited for.
 */
export async function settledWithin<T>(what: string, withinMs: number, promise: Promise<T>): Promise<T> {
  const timer = new AbortController();
  const overdue = delay(withinMs, undefined, { signal: timer.signal }).then(() => {
    throw new Error(`${what} took longer than ${withinMs} ms`);
  });
  try {
    return await Promise.race([promise, overdue]);
  } finally {
    timer.abort();
    overdue.catch(() => {});
  }
}
