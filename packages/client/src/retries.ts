/** How long a client goes on trying. */
import { AgentPaasError, isPassing } from "./errors.ts";

export type RetryLimits = {
  /** How many requests in a row may fail. Default: 20. */
  readonly tries: number;
  /** How long the waits between them may be together, ms. Default: 120,000. */
  readonly withinMs: number;
};

export const DEFAULT_LIMITS: RetryLimits = { tries: 20, withinMs: 120_000 };

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;

/**
 * The failures in a row of one piece of work. Waits double, and are longer by up to a half at random, so that clients
 * that were cut off together do not come back together. Waits are added up instead of read from a clock, which would
 * count the hours that a computer was asleep.
 */
export class Retries {
  readonly #limits: RetryLimits;
  readonly #signal: AbortSignal | undefined;
  #failures = 0;
  #waitedMs = 0;

  constructor(limits: RetryLimits, signal: AbortSignal | undefined) {
    this.#limits = limits;
    this.#signal = signal;
  }

  /** Something came through. */
  succeeded(): void {
    this.#failures = 0;
    this.#waitedMs = 0;
  }

  /** Waits before the next try. Throws `error` if there is none: it would not help, or the limits are reached. */
  async after(error: unknown, firstWaitMs: number = FIRST_WAIT_MS): Promise<void> {
    if (!(error instanceof AgentPaasError) || !isPassing(error)) throw error;
    this.#failures += 1;
    const doubled = firstWaitMs * 2 ** (this.#failures - 1);
    const backOff = Math.min(doubled, Math.max(firstWaitMs, LONGEST_WAIT_MS));
    const waitMs = Math.max(backOff, error.retryAfterMs ?? 0) * (1 + Math.random() / 2);
    this.#waitedMs += waitMs;
    if (this.#failures >= this.#limits.tries || this.#waitedMs > this.#limits.withinMs) throw error;
    await sleep(waitMs, this.#signal);
  }
}

/** Rejects with the signal's reason when it aborts. */
export function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    if (signal?.aborted) stop();
    else signal?.addEventListener("abort", stop, { once: true });
  });
}
