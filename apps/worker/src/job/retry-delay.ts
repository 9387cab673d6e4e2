import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { MINUTE, SECOND } from "@agent-paas/shared/time.ts";

const FIRST_MS = SECOND;
const LONGEST_BACKOFF_MS = MINUTE;

/**
 * How long to wait before the next attempt: doubling with jitter up to a bound, and never less than the provider asks
 * for, because it would refuse again.
 */
export function retryDelayMs(retriesUsed: number, error: unknown): number {
  const backoff = FIRST_MS * 2 ** (retriesUsed - 1) * (0.75 + Math.random() / 2);
  const asked = error instanceof PlatformError ? (error.retryAfterMs ?? 0) : 0;
  return Math.round(Math.max(Math.min(LONGEST_BACKOFF_MS, backoff), asked));
}

/** What a retried job carries from its failure to the queue's back-off: the delay that clients were told. */
export class RetryLater extends Error {
  override readonly name = "RetryLater";
  readonly delayMs: number;
  constructor(code: string, delayMs: number) {
    super(code);
    this.delayMs = delayMs;
  }
}

/**
 * A claim of another process, or one that nothing followed, is above this start's fencing token. The job is delayed and
 * not retried: each further start has a higher token, so a claim without an owner is passed in the end.
 */
export class ClaimedElsewhere extends RetryLater {
  constructor() {
    super("claimed elsewhere", retryDelayMs(1, null));
  }
}
