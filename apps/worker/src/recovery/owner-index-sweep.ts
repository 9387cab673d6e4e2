/**
 * Keeps the owner indexes true after crashes. A worker that died before it took an entry out, an API of a former
 * version that died between the entry and the queueing of its job: each leaves an entry that would count against its
 * owner for ever, and may leave large fields.
 */
import {
  JOB_KINDS,
  JOB_QUEUES,
  type JobKind,
  type JobPayload,
  queueOf,
  UNENDED_JOB_TTL_SECONDS,
} from "@agent-paas/shared/contract/jobs.ts";
import { idTime } from "@agent-paas/shared/ids.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import type { InstallationClock } from "@agent-paas/shared/redis/clock.ts";
import type { RedisConnection } from "@agent-paas/shared/redis/connect.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import {
  decodeOwnerEntry,
  LEAVE_SCRIPT,
  type OwnerEntry,
  ownedKeysOf,
  ownerSetsOf,
  RELEASE_ABSENT_SCRIPT,
  RELEASE_SCRIPT,
} from "@agent-paas/shared/redis/owner-index.ts";
import { placeValues, RESCUE_SCRIPT } from "@agent-paas/shared/redis/places.ts";
import { MINUTE } from "@agent-paas/shared/time.ts";
import type { OrphanedJobRepository } from "../storage/orphaned-job-repository.ts";

/** How many entries one pass looks at; the next pass goes on from there. */
const ENTRIES_PER_PASS = 500;

/** An API of a former version may be about to queue the job of a younger entry. */
const LEAST_AGE_MS = MINUTE;

export type OwnerIndexSweepDeps = {
  readonly redis: RedisConnection;
  readonly keys: RedisKeys;
  readonly rows: Pick<OrphanedJobRepository, "ended" | "known">;
  readonly clock: Pick<InstallationClock, "now">;
  readonly logger: Pick<Logger, "warn">;
};

type WaitingJob = Pick<JobPayload, "kind" | "agent_type" | "owner" | "job_id">;

/** `kind`: that of the waiting jobs; null for the set of started jobs, of either kind. */
type OwnerSet = { readonly key: string; readonly owner: string; readonly kind: JobKind | null };

export function createOwnerIndexSweep({ redis, keys, rows, clock, logger }: OwnerIndexSweepDeps): () => Promise<void> {
  const leaveOwnerIndex = LEAVE_SCRIPT.on(redis);
  const releaseOwnerEntry = RELEASE_SCRIPT.on(redis);
  const releaseAbsent = RELEASE_ABSENT_SCRIPT.on(redis);
  const rescueJob = RESCUE_SCRIPT.on(redis);
  let resumeAt: { readonly key: string; readonly after: string } | null = null;

  async function setsInOrder(): Promise<OwnerSet[]> {
    const owners = await redis.hkeys(keys.ownerBytes);
    const setsOf = (owner: string): OwnerSet[] => [
      ...JOB_KINDS.map((kind) => ({ key: keys.ownerIndex(kind, owner), owner, kind })),
      { key: keys.ownerStored(owner), owner, kind: null },
    ];
    return owners.flatMap(setsOf).sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  /** Whether a queue has the job: to run, or only as failed. */
  async function stateInQueue(jobId: string): Promise<"unended" | "failed" | "absent"> {
    const states = await Promise.all(
      JOB_QUEUES.map((queue) => redis.hmget(keys.queuedJob(queue, jobId), "timestamp", "finishedOn")),
    );
    const [, finishedAt] = states.find(([addedAt]) => addedAt !== null) ?? [null, undefined];
    if (finishedAt === undefined) return "absent";
    return finishedAt === null ? "unended" : "failed";
  }

  const inQueues = (jobId: string) => ({
    in_chat: keys.queuedJob("chat", jobId),
    in_execute: keys.queuedJob("execute", jobId),
    in_knowledge: keys.queuedJob("knowledge", jobId),
  });

  /** No way is known by which a job could stand nowhere in its queue; it would never start, so it is looked for. */
  async function rescue({ owner, job_id: jobId, ...job }: WaitingJob): Promise<void> {
    const queue = queueOf(job);
    const isRescued = await rescueJob({
      ...placeValues(keys, queue, { owner, jobId }),
      job: keys.queuedJob(queue, jobId),
      lock: keys.jobLock(queue, jobId),
      active: keys.activeJobs(queue),
    });
    if (isRescued === 1)
      logger.warn({ job_id: jobId }, "a waiting job that stood nowhere in its queue has entered again");
  }

  async function check({ owner, kind }: OwnerSet, entries: readonly OwnerEntry[]): Promise<void> {
    const ids = entries.map(({ jobId }) => jobId);
    const [known, ended] = [new Set(await rows.known(ids)), new Set(await rows.ended(ids))];
    const oldest = clock.now() - LEAST_AGE_MS;
    await Promise.all(
      entries.map(async ({ jobId, stored, agentType }) => {
        const state = await stateInQueue(jobId);
        const job = { owner, kind: kind ?? "chat", job_id: jobId } as const;
        const isOld = idTime(jobId) < oldest;
        const owned = { ...ownedKeysOf(keys, job), owner, job_id: jobId };
        if (state === "absent" && isOld) await releaseAbsent({ ...owned, ...inQueues(jobId) });
        else if (state === "failed" && ended.has(jobId)) await releaseOwnerEntry(owned);
        else if (kind !== null && known.has(jobId)) {
          await leaveOwnerIndex({ ...ownerSetsOf(keys, job), owner, job_id: jobId });
        } else if (stored !== "nothing") {
          // What waits for longer than that must not lose what it was accepted with.
          await redis.expire(keys.payload(jobId), UNENDED_JOB_TTL_SECONDS);
          await redis.expire(keys.upload(jobId), UNENDED_JOB_TTL_SECONDS);
        }
        const isWaiting = kind !== null && state === "unended" && !known.has(jobId);
        if (isWaiting && isOld) await rescue({ kind, agent_type: agentType, owner, job_id: jobId });
      }),
    );
  }

  /** Looks at the next entries; at the first ones again when it is through. */
  return async () => {
    const from = resumeAt;
    resumeAt = null;
    let left = ENTRIES_PER_PASS;
    for (const set of (await setsInOrder()).filter(({ key }) => from === null || key >= from.key)) {
      const after = set.key === from?.key ? `(${from.after}` : "-";
      const texts = await redis.zrangebylex(set.key, after, "+", "LIMIT", 0, left);
      await check(set, texts.map(decodeOwnerEntry));
      left -= texts.length;
      const last = texts.at(-1);
      if (left === 0 && last !== undefined) {
        resumeAt = { key: set.key, after: last };
        return;
      }
    }
  };
}
