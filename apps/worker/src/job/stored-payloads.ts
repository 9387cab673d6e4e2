/**
 * What Redis keeps of a job beside its queue's entry: large fields and uploads, and its entry in the owner index. The
 * API writes all of it in the script that accepts the job; the worker that ends the job removes it with the job's
 * place.
 */
import { type JobPayload, JobPayloadSchema, QueuedPayloadSchema } from "@agent-paas/shared/contract/jobs.ts";
import { joinPayload, largeFieldsOf } from "@agent-paas/shared/contract/large-fields.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import type { RedisConnection } from "@agent-paas/shared/redis/connect.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { LEAVE_SCRIPT, ownerSetsOf } from "@agent-paas/shared/redis/owner-index.ts";

export type StoredPayloads = ReturnType<typeof createStoredPayloads>;

export function createStoredPayloads(redis: RedisConnection, keys: RedisKeys, logger: Logger) {
  const leaveOwnerIndex = LEAVE_SCRIPT.on(redis);

  return {
    /** The whole payload of a queue's entry, unchecked; null if a large field is not stored any more. */
    async read(data: unknown): Promise<unknown> {
      const large = largeFieldsOf(data);
      const isWhole = typeof data !== "object" || data === null || large.length === 0;
      if (isWhole || !("job_id" in data) || typeof data.job_id !== "string") return data;
      const stored = await redis.hgetall(keys.payload(data.job_id));
      return large.every((field) => typeof field === "string" && field in stored) ? joinPayload(data, stored) : null;
    },

    /** The job has its row, so it waits no more. Never throws: the reaper's sweep removes what stays. */
    async leaveIndex({ owner, kind, job_id }: JobPayload): Promise<void> {
      await leaveOwnerIndex({ ...ownerSetsOf(keys, { owner, kind }), owner, job_id }).catch((err: unknown) =>
        logger.warn({ err, job_id }, "the job's entry in its owner's index not removed; the reaper removes it"),
      );
    },
  };
}

/** The payload of a queue's entry with neutral values for its large fields; null if it cannot be read. */
export const parseQueued = (data: unknown): JobPayload | null => QueuedPayloadSchema.safeParse(data).data ?? null;

/** A whole payload; null if it cannot be read. */
export const parsePayload = (data: unknown): JobPayload | null => JobPayloadSchema.safeParse(data).data ?? null;
