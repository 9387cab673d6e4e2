/** The texts that wait in Redis for their ingest; the API puts them there, and they expire. */
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import type { Redis } from "ioredis";

export type Uploads = ReturnType<typeof createUploads>;

export function createUploads(redis: Redis, keys: RedisKeys) {
  return {
    read: (jobId: string): Promise<string | null> => redis.get(keys.upload(jobId)),
    async delete(jobId: string): Promise<void> {
      await redis.del(keys.upload(jobId));
    },
  };
}
