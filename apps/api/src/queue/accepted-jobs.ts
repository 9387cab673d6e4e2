/** Finds the job of a request by what told the request apart, as long as an Idempotency-Key is remembered. */
import type { RedisConnection } from "@agent-paas/shared/redis/connect.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { decodeRecord } from "./join.ts";
import { orUnavailable } from "./or-unavailable.ts";

export type AcceptedJobs = {
  /** The id of the job, or null. Throws `queue_unavailable`. */
  find(owner: string, key: string): Promise<string | null>;
};

export const createAcceptedJobs = (redis: RedisConnection, keys: RedisKeys): AcceptedJobs => ({
  async find(owner, key) {
    const record = await orUnavailable(redis, () => redis.get(keys.idempotency(owner, key)));
    return record === null ? null : decodeRecord(record).job_id;
  },
});
