/**
 * A request to a server that may be busy for long. Its silence alone does not say whether it is busy or gone, so it is
 * pinged: a server that answers pings gets more time than one that says nothing.
 */
import { setTimeout as sleep } from "node:timers/promises";

export type Patience = {
  /** How long neither the request nor a ping may be answered, ms. */
  readonly silentMs: number;
  /** How long the request may take while pings are answered, ms. */
  readonly busyMs: number;
};

/** The signal that `ask` gets aborts when `signal` does or patience ends; whoever abandons a request may learn why. */
export async function askPatiently<T>(
  { silentMs, busyMs }: Patience,
  signal: AbortSignal,
  ping: (bound: AbortSignal) => Promise<unknown>,
  ask: (bound: AbortSignal) => Promise<T>,
): Promise<T> {
  const answered = new AbortController();
  const gaveUp = new AbortController();
  const ended = AbortSignal.any([signal, answered.signal]);

  async function watch(): Promise<void> {
    const end = performance.now() + busyMs;
    while (performance.now() < end) {
      await sleep(silentMs / 2, undefined, { signal: ended });
      await ping(AbortSignal.any([ended, AbortSignal.timeout(silentMs / 2)]));
    }
  }

  const watching = watch().then(
    () => gaveUp.abort(new Error(`no answer within ${busyMs} ms`)),
    // The ping failed, unless the request has ended.
    (error: unknown) => gaveUp.abort(error),
  );
  try {
    return await ask(AbortSignal.any([signal, gaveUp.signal]));
  } finally {
    answered.abort();
    await watching;
  }
}
