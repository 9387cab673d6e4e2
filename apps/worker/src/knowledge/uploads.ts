/** The texts that wait in Redis for their ingest. The API puts them there; they last as long as the job. */
import type { JobPayload } from "@agent-paas/shared/contract/jobs.ts";
import type { KnowledgeJobId } from "@agent-paas/shared/contract/knowledge.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import type { Redis } from "ioredis";

const INGEST: KnowledgeJobId = "knowledge.ingest";

export type Uploads = ReturnType<typeof createUploads>;

export function createUploads(redis: Redis, keys: RedisKeys, logger: Logger) {
  return {
    read: (jobId: string): Promise<string | null> => redis.get(keys.upload(jobId)),

    /** Drops the upload of a job that has ended, if it had one. Never throws: it expires by itself too. */
    async drop({ job_id, agent_type }: JobPayload): Promise<void> {
      if (agent_type !== INGEST) return;
      await redis.del(keys.upload(job_id)).catch((err: unknown) => logger.warn({ err, job_id }, "an upload was left"));
    },
  };
}
