/** The claim of a job by one attempt, in Redis: the fence that every batch of events is checked against (I4). */
import { UNENDED_JOB_TTL_SECONDS } from "@agent-paas/shared/contract/jobs.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import type { Redis } from "ioredis";

export type Claim =
  | {
      readonly kind: "claimed";
      /** Last `seq` of the log. */
      readonly seq: number;
      /** How often the job was begun, this time included; above 1 clients may show what an earlier run said. */
      readonly attempts: number;
      readonly cancelRequested: boolean;
    }
  /** The end was told; nothing is left to do. */
  | { readonly kind: "ended" }
  /** This or a higher attempt was claimed before. */
  | { readonly kind: "stale" };

export type TakenOver = {
  /** Above every attempt before it. */
  readonly fencingToken: number;
  /** What the `seq` of the next event is to follow. */
  readonly seq: number;
  readonly cancelRequested: boolean;
};

/**
 * What Redis knows of a job's end: `unknown` before its first claim, and once its state has expired or was lost.
 */
export type EndPublication = "published" | "pending" | "unknown";

export type JobClaims = ReturnType<typeof createJobClaims>;

export type LostRuns = {
  /** Runs that have not said how they ended: their workers died, or Redis has lost what they said. */
  readonly lost: number;
  /** The `lost` for which it was last started apart from others. */
  readonly apart: number;
  readonly cancelRequested: boolean;
};

/** KEYS: state, log. ARGV: attempt, expiry of both in seconds, 1 to begin a run, 0 not to. Returns {outcome, seq, runs, cancel}. */
const CLAIM_SCRIPT = `
local known = redis.call('HMGET', KEYS[1], 'fencing_token', 'seq', 'ended', 'cancel')
if known[3] then return {'ended'} end
if known[1] and tonumber(known[1]) >= tonumber(ARGV[1]) then return {'stale'} end
redis.call('HSET', KEYS[1], 'fencing_token', ARGV[1])
local attempts = redis.call('HINCRBY', KEYS[1], 'attempts', ARGV[3])
redis.call('HINCRBY', KEYS[1], 'unfinished_attempts', ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[2])
redis.call('EXPIRE', KEYS[2], ARGV[2])
return {'claimed', known[2] or '0', tostring(attempts), known[4] or ''}
`;

/** KEYS: state. Ends a run in order, unless the state has expired. */
const CLOSE_RUN_SCRIPT = `
if tonumber(redis.call('HGET', KEYS[1], 'unfinished_attempts') or '0') > 0 then redis.call('HINCRBY', KEYS[1], 'unfinished_attempts', -1) end
`;

/**
 * KEYS: state, log. ARGV: least attempt, expiry of both in seconds, age in seconds that a claim must have, seq where the
 * state is lost. Returns {attempt, seq, cancel}, or nil. A claim's age is what has passed of its expiry.
 */
const TAKE_OVER_SCRIPT = `
local known = redis.call('HMGET', KEYS[1], 'fencing_token', 'seq', 'ended', 'cancel')
local attempt, seq = tonumber(ARGV[1]), known[2] or '0'
if known[3] then return false end
if known[1] then
  if ARGV[2] - redis.call('TTL', KEYS[1]) < tonumber(ARGV[3]) then return false end
  attempt = math.max(attempt, known[1] + 1)
else
  seq = ARGV[4]
end
redis.call('HSET', KEYS[1], 'fencing_token', attempt, 'seq', seq)
redis.call('EXPIRE', KEYS[1], ARGV[2])
redis.call('EXPIRE', KEYS[2], ARGV[2])
return {tostring(attempt), seq, known[4] or ''}
`;

type TakeOverCommand = (
  state: string,
  log: string,
  leastAttempt: number,
  ttlSeconds: number,
  minAgeSeconds: number,
  seqIfLost: number,
) => Promise<[string, string, string] | null>;

type ClaimCommand = (
  state: string,
  log: string,
  attempt: number,
  ttlSeconds: number,
  begin: 0 | 1,
) => Promise<[string, string?, string?, string?]>;

export function createJobClaims(redis: Redis, keys: RedisKeys) {
  redis.defineCommand("claimJob", { numberOfKeys: 2, lua: CLAIM_SCRIPT });
  redis.defineCommand("takeOverJob", { numberOfKeys: 2, lua: TAKE_OVER_SCRIPT });
  redis.defineCommand("closeAttempt", { numberOfKeys: 1, lua: CLOSE_RUN_SCRIPT });
  const commands = redis as unknown as {
    claimJob: ClaimCommand;
    takeOverJob: TakeOverCommand;
    closeAttempt: (state: string) => Promise<null>;
  };
  return {
    /** Claims the job to run it, or, with `begin` false, only to say something in its log. */
    async claim(jobId: string, attempt: number, begin = true): Promise<Claim> {
      const [outcome, seq, attempts, cancel] = await commands.claimJob(
        keys.jobState(jobId),
        keys.eventLog(jobId),
        attempt,
        UNENDED_JOB_TTL_SECONDS,
        begin ? 1 : 0,
      );
      if (outcome === "ended") return { kind: "ended" };
      if (outcome === "stale") return { kind: "stale" };
      const cancelRequested = cancel !== "";
      return { kind: "claimed", seq: Number(seq), attempts: Number(attempts), cancelRequested };
    },

    /** A run of the job that will be run again has come to its end: its worker lives. */
    closeAttempt: async (jobId: string): Promise<void> => void (await commands.closeAttempt(keys.jobState(jobId))),

    async lostRuns(jobId: string): Promise<LostRuns> {
      const [lost, apart, cancel] = await redis.hmget(
        keys.jobState(jobId),
        "unfinished_attempts",
        "isolated_after",
        "cancel",
      );
      return { lost: Number(lost ?? 0), apart: Number(apart ?? 0), cancelRequested: cancel !== null };
    },

    /** Notes that a job with lost runs is started apart from others. */
    setApart: async (jobId: string, lost: number): Promise<void> =>
      void (await redis.hset(keys.jobState(jobId), "isolated_after", lost)),

    /**
     * Claims a running job that the queue has lost, in order to end it. Null: its end was told, or its latest claim is
     * younger than `minAgeSeconds`. `seqIfLost` is used when Redis knows nothing of it any more.
     */
    async takeOver(
      jobId: string,
      leastAttempt: number,
      minAgeSeconds: number,
      seqIfLost: number,
    ): Promise<TakenOver | null> {
      const taken = await commands.takeOverJob(
        keys.jobState(jobId),
        keys.eventLog(jobId),
        leastAttempt,
        UNENDED_JOB_TTL_SECONDS,
        minAgeSeconds,
        seqIfLost,
      );
      if (taken === null) return null;
      const [attempt, seq, cancel] = taken;
      return { fencingToken: Number(attempt), seq: Number(seq), cancelRequested: cancel !== "" };
    },

    /** Drops the state and the event log of an ended job. */
    async forget(jobId: string): Promise<void> {
      await redis.del(keys.jobState(jobId), keys.eventLog(jobId));
    },

    async endPublication(jobId: string): Promise<EndPublication> {
      const [attempt, ended] = await redis.hmget(keys.jobState(jobId), "fencing_token", "ended");
      if (ended !== null) return "published";
      return attempt === null ? "unknown" : "pending";
    },

    /** Which of the jobs somebody wants cancelled. */
    async cancelRequested(jobIds: readonly string[]): Promise<string[]> {
      const flags = await Promise.all(jobIds.map((jobId) => redis.hget(keys.jobState(jobId), "cancel")));
      return jobIds.filter((_, at) => flags[at] !== null);
    },
  };
}
