/** Makes decisions on what jobs have asked, and has a worker look at them. */
import { newId } from "@agent-paas/shared/ids.ts";
import type { RedisConnection } from "@agent-paas/shared/redis/connect.ts";
import { createDecisions, type DecisionsById } from "@agent-paas/shared/redis/decisions.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { orUnavailable } from "./or-unavailable.ts";
import type { Queues } from "./queues.ts";
import { type Replicated, replicatedOrTold } from "./replication.ts";

export type DecisionMaker = ReturnType<typeof createDecisionMaker>;

export type DecisionMakerOptions = {
  readonly redis: RedisConnection;
  readonly keys: RedisKeys;
  readonly queues: Pick<Queues, "addMaintenance">;
  /** Null: decisions need no replica. */
  readonly replicated: Replicated | null;
};

export function createDecisionMaker({ redis, keys, queues, replicated }: DecisionMakerOptions) {
  const decisions = createDecisions(redis, keys);

  async function make(jobId: string, made: DecisionsById): Promise<string | null> {
    const conflicting = await decisions.decide(jobId, made);
    if (conflicting !== null) return conflicting;
    // An id of its own: BullMQ drops an action whose id it has, and that one may have looked already.
    await queues.addMaintenance({ action: "resume_job", job_id: jobId }, `resume-${newId()}`);
    return null;
  }

  return {
    /** Those that no worker may have written yet. Throws `queue_unavailable`. */
    read: (jobId: string): Promise<DecisionsById> => orUnavailable(redis, () => decisions.read(jobId)),

    /**
     * Returns the id of an inquiry on which another decision was made first: then none is made. A process that dies
     * behind the decisions leaves the look at them to the reaper. Throws `queue_unavailable`, and `not_replicated` for
     * decisions that are made and may be lost.
     */
    make: (jobId: string, made: DecisionsById): Promise<string | null> =>
      orUnavailable(redis, () =>
        replicatedOrTold(replicated, "the request to decide", () => make(jobId, made), keys.probeOf(jobId)),
      ),
  };
}
