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
      readonly runs: number;
      readonly cancelRequested: boolean;
    }
  /** The end was told; nothing is left to do. */
  | { readonly kind: "ended" }
  /** This or a higher attempt was claimed before. */
  | { readonly kind: "stale" };

export type JobClaims = ReturnType<typeof createJobClaims>;

/**
 * KEYS: state, log. ARGV: attempt, expiry of both in seconds, 1 to begin a run, 0 not to. Returns {outcome, seq, runs begun,
 * cancel}.
 */
const CLAIM_SCRIPT = `
local known = redis.call('HMGET', KEYS[1], 'attempt', 'seq', 'ended', 'cancel')
if known[3] then return {'ended'} end
if known[1] and tonumber(known[1]) >= tonumber(ARGV[1]) then return {'stale'} end
redis.call('HSET', KEYS[1], 'attempt', ARGV[1])
local runs = redis.call('HINCRBY', KEYS[1], 'runs', ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[2])
redis.call('EXPIRE', KEYS[2], ARGV[2])
return {'claimed', known[2] or '0', tostring(runs), known[4] or ''}
`;

type ClaimCommand = (
  state: string,
  log: string,
  attempt: number,
  ttlSeconds: number,
  begin: 0 | 1,
) => Promise<[string, string?, string?, string?]>;

export function createJobClaims(redis: Redis, keys: RedisKeys) {
  redis.defineCommand("claimJob", { numberOfKeys: 2, lua: CLAIM_SCRIPT });
  const claimJob = (redis as unknown as { claimJob: ClaimCommand }).claimJob.bind(redis);
  return {
    /** Claims the job to run it, or, with `begin` false, only to say something in its log. */
    async claim(jobId: string, attempt: number, begin = true): Promise<Claim> {
      const [outcome, seq, runs, cancel] = await claimJob(
        keys.jobState(jobId),
        keys.eventLog(jobId),
        attempt,
        UNENDED_JOB_TTL_SECONDS,
        begin ? 1 : 0,
      );
      if (outcome === "ended") return { kind: "ended" };
      if (outcome === "stale") return { kind: "stale" };
      return { kind: "claimed", seq: Number(seq), runs: Number(runs), cancelRequested: cancel !== "" };
    },

    /** Drops the state and the event log of an ended job. */
    async forget(jobId: string): Promise<void> {
      await redis.del(keys.jobState(jobId), keys.eventLog(jobId));
    },

    /** Whether the job's end was told. */
    hasEnded: async (jobId: string): Promise<boolean> => (await redis.hexists(keys.jobState(jobId), "ended")) === 1,

    /** Which of the jobs somebody wants cancelled. */
    async cancelRequested(jobIds: readonly string[]): Promise<string[]> {
      const flags = await Promise.all(jobIds.map((jobId) => redis.hget(keys.jobState(jobId), "cancel")));
      return jobIds.filter((_, at) => flags[at] !== null);
    },
  };
}
