/** Uploads: files of documents, which the API writes to Redis and an ingest reads. They exist until the job ends. */
import type { JobPayload } from "@agent-paas/shared/contract/jobs.ts";
import type { KnowledgeJobId } from "@agent-paas/shared/contract/knowledge.ts";
import type { RedisConnection } from "@agent-paas/shared/redis/connect.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";

const INGEST: KnowledgeJobId = "knowledge.ingest";

/** Whether the job has an upload. */
export const isIngest = ({ agent_type }: Pick<JobPayload, "agent_type">): boolean => agent_type === INGEST;

export type Uploads = ReturnType<typeof createUploads>;

export const createUploads = (redis: RedisConnection, keys: RedisKeys) => ({
  /** The file for the job; null if it has expired. */
  read: (jobId: string): Promise<Buffer | null> => redis.getBuffer(keys.upload(jobId)),
});
