/** Asks for the end of a job. A cancel is never refused for a full queue, because it makes room. */
import { type JobQueue, UNENDED_JOB_TTL_SECONDS } from "@agent-paas/shared/contract/jobs.ts";
import type { RedisConnection } from "@agent-paas/shared/redis/connect.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { defineScript } from "@agent-paas/shared/redis/script.ts";
import { orUnavailable } from "./or-unavailable.ts";
import type { Queues } from "./queues.ts";
import { type Replicated, replicatedOrTold } from "./replication.ts";

/** Marks a job as cancelled, durably; the message on the channel only saves time. Returns 0 if the job has ended. */
const CANCEL_SCRIPT = defineScript<0 | 1>()({
  name: "cancelJob",
  keys: ["state"],
  args: ["state_ttl", "channel", "job_id"],
  lua: `
if redis.call('HEXISTS', state, 'ended') == 1 then return 0 end
redis.call('HSET', state, 'cancel', '1')
if redis.call('TTL', state) < 0 then redis.call('EXPIRE', state, state_ttl) end
redis.call(PUBLISH, channel, job_id)
return 1
`,
});

export type Cancellation = ReturnType<typeof createCancellation>;

export type CancellationOptions = {
  readonly redis: RedisConnection;
  readonly keys: RedisKeys;
  readonly queues: Pick<Queues, "addMaintenance">;
  /** Null: requests to cancel need no replica. */
  readonly replicated: Replicated | null;
};

export function createCancellation({ redis, keys, queues, replicated }: CancellationOptions) {
  const markCancelled = CANCEL_SCRIPT.on(redis);

  async function send(queue: JobQueue, jobId: string): Promise<void> {
    await markCancelled({
      state: keys.jobState(jobId),
      state_ttl: UNENDED_JOB_TTL_SECONDS,
      channel: keys.cancelChannel(jobId),
      job_id: jobId,
    });
    // A job that no worker runs is finalized by this entry, without waiting for its place in the queue.
    await queues.addMaintenance({ action: "end_cancelled_job", job_id: jobId, queue }, `cancel-${jobId}`);
  }

  return {
    /** Throws what Redis throws; for callers that run under `orUnavailable` already. */
    send,

    /** Throws `queue_unavailable`, and `not_replicated` for a request that is made and may be lost. */
    request: (queue: JobQueue, jobId: string): Promise<void> =>
      orUnavailable(redis, () =>
        replicatedOrTold(replicated, "the request to cancel", () => send(queue, jobId), keys.probeOf(jobId)),
      ),
  };
}
