/** What accepts, finds and cancels jobs in Redis: queues, admission, session queues. */
import type { Releasers } from "@agent-paas/shared/lifecycle/releasers.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import type { ApiConfig } from "../config.ts";
import type { AgentCatalog } from "../presence/agent-catalog.ts";
import { createAccept } from "../queue/accept.ts";
import { createAdmission, sampleCapacity } from "../queue/admission.ts";
import { createCancellation } from "../queue/cancel.ts";
import { createQueuedJobs } from "../queue/queued-jobs.ts";
import { openQueues } from "../queue/queues.ts";
import { createSessionQueues } from "../queue/sessions.ts";
import type { QueueServices, StorageServices } from "../services.ts";
import type { RedisConnections } from "./redis.ts";

export type JobsDeps = {
  readonly redis: Pick<RedisConnections, "requests" | "keys">;
  readonly storage: {
    readonly jobs: Pick<StorageServices["jobs"], "find">;
    readonly sessions: Pick<StorageServices["sessions"], "find">;
  };
  readonly agentCatalog: Pick<AgentCatalog, "cannotWrite">;
  readonly logger: Logger;
};

export function openJobs(
  config: Pick<ApiConfig, "MAX_QUEUED_JOBS" | "IDEMPOTENCY_TTL_SECONDS">,
  { redis: { requests: redis, keys }, storage, agentCatalog, logger }: JobsDeps,
  releasers: Releasers,
): QueueServices {
  const queues = openQueues({ redis, keys, logger });
  releasers.add("queues", () => queues.close());
  const admission = createAdmission({
    sample: () => sampleCapacity(redis, keys),
    maxQueuedJobs: config.MAX_QUEUED_JOBS,
  });
  const sessionQueues = createSessionQueues({ redis, keys, queues });
  const cancellation = createCancellation({ redis, keys, queues });
  const accept = createAccept({
    redis,
    keys,
    queues,
    sessionQueues,
    admission,
    cannotWrite: agentCatalog.cannotWrite,
    cancellation,
    idempotencyTtlSeconds: config.IDEMPOTENCY_TTL_SECONDS,
    hasStarted: async (owner, jobId) => (await storage.jobs.find(owner, jobId)) !== undefined,
    hasSession: async (owner, sessionId) => (await storage.sessions.find(owner, sessionId)) !== undefined,
  });
  const queuedJobs = createQueuedJobs({ redis, keys, queues });
  return { accept, cancellation, admission, queues, queuedJobs, sessionQueues };
}
