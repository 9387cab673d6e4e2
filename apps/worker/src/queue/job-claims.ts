/** The claim of a job by one attempt, in Redis: the fence that every batch of events is checked against (I4). */
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import type { Redis } from "ioredis";

export type Claim =
  | {
      readonly kind: "claimed";
      /** Last `seq` of the log. */
      readonly seq: number;
      /** Whether an earlier attempt began to run the job; clients may show what it said. */
      readonly begunBefore: boolean;
      readonly cancelRequested: boolean;
    }
  /** The end was told; nothing is left to do. */
  | { readonly kind: "ended" }
  /** This or a higher attempt was claimed before. */
  | { readonly kind: "stale" };

export type JobClaims = ReturnType<typeof createJobClaims>;

/** KEYS: state. ARGV: attempt, expiry in seconds, '1' to begin the run. Returns {outcome, seq, begun before, cancel}. */
const CLAIM_SCRIPT = `
local known = redis.call('HMGET', KEYS[1], 'attempt', 'seq', 'ended', 'cancel', 'begun')
if known[3] then return {'ended'} end
if known[1] and tonumber(known[1]) >= tonumber(ARGV[1]) then return {'stale'} end
redis.call('HSET', KEYS[1], 'attempt', ARGV[1])
if ARGV[3] == '1' then redis.call('HSET', KEYS[1], 'begun', '1') end
redis.call('EXPIRE', KEYS[1], ARGV[2])
return {'claimed', known[2] or '0', known[5] or '', known[4] or ''}
`;

type ClaimCommand = (
  key: string,
  attempt: number,
  ttlSeconds: number,
  begin: "1" | "",
) => Promise<[string, string?, string?, string?]>;

/** `ttlSeconds`: how long the state of a job that runs is kept; above any job's time limit. */
export function createJobClaims(redis: Redis, keys: RedisKeys, ttlSeconds: number) {
  redis.defineCommand("claimJob", { numberOfKeys: 1, lua: CLAIM_SCRIPT });
  const claimJob = (redis as unknown as { claimJob: ClaimCommand }).claimJob.bind(redis);
  return {
    /** Claims the job to run it, or, with `begin` false, only to say something in its log. */
    async claim(jobId: string, attempt: number, begin = true): Promise<Claim> {
      const [outcome, seq, begun, cancel] = await claimJob(keys.jobState(jobId), attempt, ttlSeconds, begin ? "1" : "");
      if (outcome === "ended") return { kind: "ended" };
      if (outcome === "stale") return { kind: "stale" };
      return { kind: "claimed", seq: Number(seq), begunBefore: begun !== "", cancelRequested: cancel !== "" };
    },

    /** Keeps the state and the log of a job that waits long from expiring. */
    async keep(jobId: string): Promise<void> {
      await Promise.all([keys.jobState(jobId), keys.eventLog(jobId)].map((key) => redis.expire(key, ttlSeconds)));
    },

    /** Drops the state and the event log of an ended job. */
    async forget(jobId: string): Promise<void> {
      await redis.del(keys.jobState(jobId), keys.eventLog(jobId));
    },

    /** Which of the jobs somebody wants cancelled. */
    async cancelRequested(jobIds: readonly string[]): Promise<string[]> {
      const flags = await Promise.all(jobIds.map((jobId) => redis.hget(keys.jobState(jobId), "cancel")));
      return jobIds.filter((_, at) => flags[at] !== null);
    },
  };
}
