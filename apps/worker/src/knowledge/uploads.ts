/**
 * Uploads: texts of documents, which the API writes to Redis and an ingest reads. They exist until the job has ended.
 */
import type { JobPayload } from "@agent-paas/shared/contract/jobs.ts";
import type { KnowledgeJobId } from "@agent-paas/shared/contract/knowledge.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import type { RedisConnection } from "@agent-paas/shared/redis/connect.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";

const INGEST: KnowledgeJobId = "knowledge.ingest";

export type Uploads = ReturnType<typeof createUploads>;

export function createUploads(redis: RedisConnection, keys: RedisKeys, logger: Logger) {
  return {
    /** The text for the job; null if it has expired. */
    read: (jobId: string): Promise<string | null> => redis.get(keys.upload(jobId)),

    /** Deletes the upload of an ended job, if the job has one. Never throws, because an upload also expires. */
    async delete({ job_id, agent_type }: JobPayload): Promise<void> {
      if (agent_type !== INGEST) return;
      await redis
        .del(keys.upload(job_id))
        .catch((err: unknown) => logger.warn({ err, job_id }, "upload not deleted; it expires by itself"));
    },
  };
}
