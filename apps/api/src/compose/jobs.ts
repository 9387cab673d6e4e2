/** What accepts, finds and cancels jobs in Redis: queues, admission, session queues. */
import type { Releasers } from "@agent-paas/shared/lifecycle/releasers.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import { readRedisMemory } from "@agent-paas/shared/redis/memory.ts";
import { type ApiConfig, waitingJobsPerOwner } from "../config.ts";
import type { AgentCatalog } from "../presence/agent-catalog.ts";
import { createAccept } from "../queue/accept.ts";
import { createAcceptedJobs } from "../queue/accepted-jobs.ts";
import { createAdmission } from "../queue/admission.ts";
import { createCancellation } from "../queue/cancel.ts";
import { createDecisionMaker } from "../queue/decide.ts";
import { createOwnerShares } from "../queue/owner-shares.ts";
import { createQueuedJobs } from "../queue/queued-jobs.ts";
import { openQueues } from "../queue/queues.ts";
import { createReplicated } from "../queue/replication.ts";
import { createSessionShare } from "../queue/session-share.ts";
import { createSessionQueues } from "../queue/sessions.ts";
import type { QueueServices, StorageServices } from "../services.ts";
import type { RedisConnections } from "./redis.ts";

export type JobsDeps = {
  readonly redis: Pick<RedisConnections, "requests" | "reads" | "replicas" | "keys">;
  readonly storage: {
    readonly jobs: Pick<StorageServices["jobs"], "find">;
    readonly sessions: Pick<StorageServices["sessions"], "find" | "count">;
  };
  readonly agentCatalog: Pick<AgentCatalog, "cannotWrite">;
  readonly logger: Logger;
};

type JobsConfig = Pick<
  ApiConfig,
  | "MAX_QUEUED_JOBS"
  | "MAX_WAITING_JOBS_PER_OWNER"
  | "MAX_WAITING_BYTES_PER_OWNER"
  | "MAX_SESSIONS_PER_OWNER"
  | "IDEMPOTENCY_TTL_SECONDS"
  | "ACCEPT_MIN_REPLICAS"
>;

export function openJobs(
  config: JobsConfig,
  { redis: { requests: redis, reads, replicas, keys }, storage, agentCatalog, logger }: JobsDeps,
  releasers: Releasers,
): QueueServices {
  const queues = openQueues({ redis, keys, logger });
  releasers.add("queues", () => queues.close());
  const admission = createAdmission({
    sample: () => readRedisMemory(redis),
    maxQueuedJobs: config.MAX_QUEUED_JOBS,
  });
  const sessionQueues = createSessionQueues({ redis, keys, queues });
  const { ACCEPT_MIN_REPLICAS: minReplicas } = config;
  const replicated = replicas === null ? null : createReplicated({ redis, waiting: replicas, keys, minReplicas });
  const cancellation = createCancellation({ redis, keys, queues, replicated });
  const accept = createAccept({
    redis,
    keys,
    queues,
    sessionQueues,
    admission,
    shares: createOwnerShares({
      maxJobs: waitingJobsPerOwner(config),
      maxBytes: config.MAX_WAITING_BYTES_PER_OWNER,
    }),
    hasAllSessions: createSessionShare(storage.sessions.count, config.MAX_SESSIONS_PER_OWNER).isUsedUp,
    cannotWrite: agentCatalog.cannotWrite,
    cancellation,
    replicated,
    idempotencyTtlSeconds: config.IDEMPOTENCY_TTL_SECONDS,
    hasStarted: async (owner, jobId) => (await storage.jobs.find(owner, jobId)) !== undefined,
    hasSession: async (owner, sessionId) => (await storage.sessions.find(owner, sessionId)) !== undefined,
  });
  const queuedJobs = createQueuedJobs(reads, keys);
  const decisions = createDecisionMaker({ redis, keys, queues, replicated });
  const acceptedJobs = createAcceptedJobs(redis, keys);
  return { accept, acceptedJobs, cancellation, decisions, admission, queues, queuedJobs, sessionQueues };
}
