/** The queues that the API adds to and reads from. No other file of the API uses BullMQ. */
import {
  FAILED_JOB_TTL_SECONDS,
  JOB_QUEUES,
  type JobPayload,
  type JobQueue,
  MAINTENANCE_QUEUE,
  type MaintenancePayload,
  queueOf,
} from "@agent-paas/shared/contract/jobs.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import type { RedisConnection } from "@agent-paas/shared/redis/connect.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { LEAVE_SCRIPT, placeValues } from "@agent-paas/shared/redis/places.ts";
import { type JobsOptions, Queue } from "bullmq";
import { orUnavailable } from "./or-unavailable.ts";

/** Tries are for passing faults of the model and the platform; the worker's back-off sets the delay between two. */
const TRIES = 3;

const JOB_OPTIONS: JobsOptions = {
  backoff: { type: "custom" },
  removeOnComplete: true,
  removeOnFail: { age: FAILED_JOB_TTL_SECONDS, count: 1_000 },
};

const MAINTENANCE_OPTIONS: JobsOptions = {
  ...JOB_OPTIONS,
  attempts: 10,
  // A failed action would keep the same request, when it comes again, from being added.
  removeOnFail: true,
};

/** The options of a job of an agent, or of one with another number of tries, as its queue keeps them: JSON. */
export const jobOptions = (tries = TRIES): string =>
  tries === TRIES ? USUAL_OPTIONS : JSON.stringify({ ...JOB_OPTIONS, attempts: tries });

const USUAL_OPTIONS = JSON.stringify({ ...JOB_OPTIONS, attempts: TRIES });

/** How many entries BullMQ keeps of its own event stream, which the platform does not read. */
const MAX_BULLMQ_EVENTS = 1_000;

const PROBE_TTL_S = 60;

/** What names a job, its queue and its place. */
type QueuedRef = Pick<JobPayload, "job_id" | "kind" | "owner" | "agent_type">;

type QueueCounts = {
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
};

export type Queues = ReturnType<typeof openQueues>;

export type QueuesOptions = {
  readonly redis: RedisConnection;
  readonly keys: RedisKeys;
  readonly logger: Logger;
};

export function openQueues({ redis, keys, logger }: QueuesOptions) {
  const open = (name: string): Queue => {
    const queue = new Queue(name, {
      connection: redis,
      prefix: keys.bullmq,
      // BullMQ checks the version of Redis once, at the start; a late reply would fail every later call.
      skipVersionCheck: true,
      skipWaitingForReady: true,
      streams: { events: { maxLen: MAX_BULLMQ_EVENTS } },
    });
    queue.on("error", (err) => logger.debug({ err, queue: name }, "queue error"));
    return queue;
  };
  const jobQueues = Object.fromEntries(JOB_QUEUES.map((name) => [name, open(name)])) as Record<JobQueue, Queue>;
  const leavePlace = LEAVE_SCRIPT.on(redis);
  const placeOf = (payload: QueuedRef) =>
    placeValues(keys, queueOf(payload), { owner: payload.owner, jobId: payload.job_id });
  const maintenance = open(MAINTENANCE_QUEUE);

  return {
    /** Removes a waiting job; false for one that a worker holds. */
    async removeJob(payload: QueuedRef): Promise<boolean> {
      // BullMQ reports a job that is not there as removed.
      if ((await jobQueues[queueOf(payload)].remove(payload.job_id)) !== 1) return false;
      await leavePlace(placeOf(payload));
      return true;
    },

    async addMaintenance(payload: MaintenancePayload, jobId: string): Promise<void> {
      await maintenance.add(payload.action, payload, { ...MAINTENANCE_OPTIONS, jobId });
    },

    /** How many jobs each queue has, by their state in BullMQ. */
    async counts(): Promise<Readonly<Record<JobQueue, QueueCounts>>> {
      const counted = JOB_QUEUES.map(async (name) => {
        const [counts, outside] = await Promise.all([countsOf(jobQueues[name]), redis.zcard(keys.ownerQueues(name))]);
        return [name, { ...counts, waiting: counts.waiting + outside }] as const;
      });
      return Object.fromEntries(await Promise.all(counted)) as Record<JobQueue, QueueCounts>;
    },

    /** Writes keys and reads them back, which is what accepting a job and following it need of each server. */
    probe: () =>
      orUnavailable(redis, () =>
        Promise.all(keys.probes.flatMap((key) => [redis.set(key, "1", "EX", PROBE_TTL_S), redis.get(key)])),
      ),

    async close(): Promise<void> {
      await Promise.all([...Object.values(jobQueues), maintenance].map((queue) => queue.close()));
    },
  };
}

async function countsOf(queue: Queue): Promise<QueueCounts> {
  // BullMQ's own `failed` has only jobs whose processor could not finalize them.
  const { waiting = 0, active = 0, delayed = 0 } = await queue.getJobCounts("waiting", "active", "delayed");
  return { waiting, active, delayed };
}
