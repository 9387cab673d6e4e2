/**
 * Shares: how much of a pool that all owners use one owner may hold. An owner at a limit is refused with 429 and a code
 * of the limit, and the others are served. What an owner holds is counted where it is (the owner index, the rows of
 * sessions), never in a counter of its own that a crash could leave wrong.
 */
import type { ErrorCode } from "@agent-paas/shared/errors/codes.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { SECOND } from "@agent-paas/shared/time.ts";

/** The most of Redis' `maxmemory` that the waiting jobs of one owner may hold. */
const MOST_OF_MEMORY = 1 / 4;

/** Random, so that refused clients do not return at the same time. */
const retryAfterMs = () => (5 + 10 * Math.random()) * SECOND;

const SHARE_CODES = { jobs: "waiting_jobs_limit", bytes: "waiting_bytes_limit" } as const satisfies Record<
  string,
  ErrorCode
>;

export const shareUsedUp = (code: ErrorCode): PlatformError =>
  new PlatformError(code, { retryAfterMs: retryAfterMs() });

export type OwnerLimits = { readonly max_owner_jobs: number; readonly max_owner_bytes: number };

export type OwnerShares = ReturnType<typeof createOwnerShares>;

export type OwnerSharesOptions = { readonly maxJobs: number; readonly maxBytes: number };

export function createOwnerShares({ maxJobs, maxBytes }: OwnerSharesOptions) {
  return {
    /** `maxMemoryBytes`: that of Redis; 0 for none. */
    limits: (maxMemoryBytes: number): OwnerLimits => ({
      max_owner_jobs: maxJobs,
      max_owner_bytes:
        maxMemoryBytes === 0 ? maxBytes : Math.min(maxBytes, Math.floor(maxMemoryBytes * MOST_OF_MEMORY)),
    }),

    /** The error for an owner whose share is used up. */
    refusal: (share: keyof typeof SHARE_CODES): PlatformError => shareUsedUp(SHARE_CODES[share]),
  };
}
