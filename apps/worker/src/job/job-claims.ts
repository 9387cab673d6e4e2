/** The claim of a job for one fencing token, in Redis: every batch of events is checked against it (I4). */
import { UNENDED_JOB_TTL_SECONDS } from "@agent-paas/shared/contract/jobs.ts";
import type { RedisConnection } from "@agent-paas/shared/redis/connect.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import {
  CLAIM_SCRIPT,
  CLEAR_BLOCKING_SCRIPT,
  CLOSE_ATTEMPT_SCRIPT,
  LOOK_SCRIPT,
  RESTORE_CLAIM_SCRIPT,
  TAKE_OVER_SCRIPT,
} from "./claim-scripts.ts";
import type { CrashHistory } from "./poison-jobs.ts";

export type Claim =
  | {
      readonly kind: "claimed";
      /** The last `seq` in the log. */
      readonly lastSeq: number;
      /** What the first event of this claim follows. No earlier attempt reaches it (I4). */
      readonly fence: number;
      /** Attempts begun, this one included; above 1 clients may show what an earlier attempt wrote. */
      readonly attempts: number;
      readonly cancelRequested: boolean;
    }
  /** The terminal event is published; nothing is left to do. */
  | { readonly kind: "ended" }
  /** This or a higher fencing token has claimed the job. */
  | { readonly kind: "stale" };

export type TakenOver = {
  /** Above every fencing token before it. */
  readonly fencingToken: number;
  readonly lastSeq: number;
  /** As in `Claim`. */
  readonly fence: number;
  /** Attempts begun before. */
  readonly attempts: number;
  readonly cancelRequested: boolean;
};

export type TakeOverRequest = {
  readonly jobId: string;
  readonly leastToken: number;
  /** A younger claim is left alone: its worker may be about to finalize the job itself. */
  readonly minAgeSeconds: number;
};

/**
 * Whether the terminal event is in the log; `unknown` before the first claim, and once the state has expired or is
 * lost.
 */
export type EndPublication = "published" | "pending" | "unknown";

export type JobClaims = ReturnType<typeof createJobClaims>;

export function createJobClaims(redis: RedisConnection, keys: RedisKeys) {
  const claimJob = CLAIM_SCRIPT.on(redis);
  const takeOverJob = TAKE_OVER_SCRIPT.on(redis);
  const closeAttempt = CLOSE_ATTEMPT_SCRIPT.on(redis);
  const restoreClaim = RESTORE_CLAIM_SCRIPT.on(redis);
  const look = LOOK_SCRIPT.on(redis);
  const clearBlocking = CLEAR_BLOCKING_SCRIPT.on(redis);
  const keysOf = (jobId: string) => ({ state: keys.jobState(jobId), log: keys.eventLog(jobId) });

  return {
    /** Claims the job: to begin an attempt, or only to write something into its log. */
    async claim(jobId: string, fencingToken: number, { beginsAttempt } = { beginsAttempt: true }): Promise<Claim> {
      const reply = await claimJob({
        ...keysOf(jobId),
        token: fencingToken,
        ttl: UNENDED_JOB_TTL_SECONDS,
        begins: beginsAttempt ? 1 : 0,
      });
      if (reply[0] !== "claimed") return { kind: reply[0] };
      const [kind, lastSeq, fence, attempts, cancel] = reply;
      return {
        kind,
        lastSeq: Number(lastSeq),
        fence: Number(fence),
        attempts: Number(attempts),
        cancelRequested: cancel !== "",
      };
    },

    /** Reports that an attempt has ended in order, for a job that will be attempted again: its worker lives. */
    closeAttempt: async (jobId: string): Promise<void> => void (await closeAttempt({ state: keys.jobState(jobId) })),

    async crashHistory(jobId: string): Promise<CrashHistory & { readonly cancelRequested: boolean }> {
      const fields = ["unfinished_attempts", "isolated_after", "cancel", "blocking_token"] as const;
      const [[unfinished, isolated, cancel, blocking], blockedWorkers] = await Promise.all([
        redis.hmget(keys.jobState(jobId), ...fields),
        redis.exists(keys.blockedWorker),
      ]);
      return {
        unfinishedAttempts: Number(unfinished ?? 0),
        isolatedAfter: Number(isolated ?? 0),
        hasBlockedWorker: typeof blocking === "string",
        mayBlockWorker: blockedWorkers > 0,
        cancelRequested: cancel !== null,
      };
    },

    /** Notes that the job gets its isolated start after so many unfinished attempts. */
    noteIsolation: async (jobId: string, unfinishedAttempts: number): Promise<void> =>
      void (await redis.hset(keys.jobState(jobId), "isolated_after", unfinishedAttempts)),

    /** Forgets that a run has blocked its worker: it kept its lock. */
    clearBlocking: async (jobId: string, fencingToken: number): Promise<void> =>
      void (await clearBlocking({ state: keys.jobState(jobId), token: fencingToken })),

    /**
     * Claims a job above every claim before it, in order to finalize it: a claim of which nothing followed, because a
     * write failed or a process died, is in nobody's way. Null: its end is published, or its latest claim is too young.
     */
    async takeOver({ jobId, leastToken, minAgeSeconds }: TakeOverRequest): Promise<TakenOver | null> {
      const taken = await takeOverJob({
        ...keysOf(jobId),
        least_token: leastToken,
        ttl: UNENDED_JOB_TTL_SECONDS,
        min_age: minAgeSeconds,
      });
      if (taken === null) return null;
      const [fencingToken, lastSeq, fence, attempts, cancel] = taken;
      return {
        fencingToken: Number(fencingToken),
        lastSeq: Number(lastSeq),
        fence: Number(fence),
        attempts: Number(attempts),
        cancelRequested: cancel !== "",
      };
    },

    /** Writes what a Redis that has lost a job, or its log alone, must know of it; nothing of what it has. */
    restore: async (
      jobId: string,
      { fencingToken: token, attempts, seq }: Readonly<Record<"fencingToken" | "attempts" | "seq", number>>,
    ): Promise<void> =>
      void (await restoreClaim({ ...keysOf(jobId), token, attempts, seq, ttl: UNENDED_JOB_TTL_SECONDS })),

    /** Deletes the state and the event log of an ended job. */
    forget: async (jobId: string): Promise<void> => void (await redis.del(keys.jobState(jobId), keys.eventLog(jobId))),

    async endPublication(jobId: string): Promise<EndPublication> {
      const [token, ended] = await redis.hmget(keys.jobState(jobId), "fencing_token", "ended");
      if (ended !== null) return "published";
      return token === null ? "unknown" : "pending";
    },

    /** Whether Redis has lost the job's state, or events up to `lastSeq`, of a job that has not ended. */
    async hasLost(jobId: string, lastSeq: number): Promise<boolean> {
      const [token, ended, shown] = await look(keysOf(jobId));
      return token === null || (ended === null && Number(shown) < lastSeq);
    },

    /** Those of the jobs for which a cancel is requested. */
    async cancelRequested(jobIds: readonly string[]): Promise<string[]> {
      const flags = await Promise.all(jobIds.map((jobId) => redis.hget(keys.jobState(jobId), "cancel")));
      return jobIds.filter((_, at) => flags[at] !== null);
    },
  };
}
