/** Reads owner indexes: the waiting jobs of one owner, newest first, and how many come before one. */
import { JOB_KINDS, type JobKind } from "@agent-paas/shared/contract/jobs.ts";
import type { RedisConnection } from "@agent-paas/shared/redis/connect.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { beforeJob, decodeOwnerEntry, type OwnerEntry } from "@agent-paas/shared/redis/owner-index.ts";

export type WaitingJob = OwnerEntry & { readonly kind: JobKind };

export type WaitingJobsFilter = {
  readonly kind?: JobKind | undefined;
  /** The id before which the list begins. */
  readonly before?: string | undefined;
};

export function createWaitingJobs(redis: RedisConnection, keys: RedisKeys) {
  async function pageOf(kind: JobKind, owner: string, before: string | undefined, count: number) {
    const last = before === undefined ? "+" : beforeJob(before);
    const entries = await redis.zrevrangebylex(keys.ownerIndex(kind, owner), last, "-", "LIMIT", 0, count);
    return entries.map((text): WaitingJob => ({ ...decodeOwnerEntry(text), kind }));
  }

  return {
    /** The newest `count` waiting jobs of the owner. */
    async page(owner: string, { kind, before }: WaitingJobsFilter, count: number): Promise<WaitingJob[]> {
      const kinds = kind === undefined ? JOB_KINDS : [kind];
      const pages = await Promise.all(kinds.map((one) => pageOf(one, owner, before, count)));
      return pages
        .flat()
        .sort((a, b) => (a.jobId < b.jobId ? 1 : -1)) // Ids rise with time.
        .slice(0, count);
    },

    /** How many waiting jobs of the owner and kind were accepted before this one. */
    ahead: (kind: JobKind, owner: string, jobId: string): Promise<number> =>
      redis.zlexcount(keys.ownerIndex(kind, owner), "-", beforeJob(jobId)),
  };
}
