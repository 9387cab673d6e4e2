/** Limits hold for requests at the same moment: the accept path on a real Redis, without HTTP. */

import { RedisTopologySchema } from "@agent-paas/shared/config/redis-topology.ts";
import type { JobPayload } from "@agent-paas/shared/contract/jobs.ts";
import { newId } from "@agent-paas/shared/ids.ts";
import { createReleasers } from "@agent-paas/shared/lifecycle/releasers.ts";
import { connectRedis } from "@agent-paas/shared/redis/connect.ts";
import { createRedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { pino } from "pino";
import { expect, inject, onTestFinished, test } from "vitest";
import { openJobs } from "../../apps/api/src/compose/jobs.ts";
import type { AcceptRequest } from "../../apps/api/src/queue/accept-request.ts";
import { waitFor } from "../support/wait-for.ts";

const AT_ONCE = 50;
const NO_LIMITS = {
  MAX_QUEUED_JOBS: 10_000,
  MAX_WAITING_JOBS_PER_OWNER: 10_000,
  MAX_WAITING_BYTES_PER_OWNER: 10 ** 9,
  MAX_SESSIONS_PER_OWNER: 10_000,
  IDEMPOTENCY_TTL_SECONDS: 60,
  ACCEPT_MIN_REPLICAS: 0,
};

const LIMITED_BYTES = { MAX_WAITING_BYTES_PER_OWNER: 15_000 };

/** Accepts so many jobs of alice at once; every second one has an Idempotency-Key. Returns the codes of refusals. */
async function acceptAtOnce(limits: Partial<typeof NO_LIMITS>, request: Partial<AcceptRequest> & { text?: string }) {
  const logger = pino({ enabled: false });
  const keys = createRedisKeys(`t${newId().slice(-8)}`);
  const topology = RedisTopologySchema.parse(inject("redisUrl"));
  const redis = connectRedis({ topology, keys, role: "request", name: "test", logger });
  const releasers = createReleasers((name, error) => expect.fail(`${name}: ${error}`));
  await waitFor("Redis", async () => redis.status === "ready");
  onTestFinished(async () => {
    await releasers.release();
    await redis.del(...(await redis.keys(`${keys.bullmq}*`)));
    redis.disconnect();
  });
  const { accept } = openJobs(
    { ...NO_LIMITS, ...limits },
    {
      redis: { requests: redis, reads: redis, replicas: null, keys },
      storage: {
        jobs: { find: async () => undefined },
        sessions: { find: async () => undefined, count: async () => 0 },
      },
      agentCatalog: { cannotWrite: async () => false },
      logger,
    },
    releasers,
  );
  const { text = "t", ...given } = request;
  const sessionId = request.onBusy === undefined ? null : newId();
  const jobOf = (): JobPayload => ({
    ...{ job_id: newId(), kind: "execute", owner: "alice", agent_type: "a", session_id: sessionId, text },
    ...{ config: {}, limits: {}, metadata: {}, locale: "en", request_id: "r", accepted_at: new Date().toISOString() },
  });
  const answers = await Promise.allSettled(
    Array.from({ length: AT_ONCE }, (_, at) => {
      const idempotency = at % 2 === 0 ? null : { key: `k${at}`, bodyHash: "h" };
      return accept({ payload: jobOf(), newSession: null, onBusy: "queue", idempotency, ...given });
    }),
  );
  return answers.flatMap((answer): string[] => (answer.status === "rejected" ? [answer.reason.code] : []));
}

test.each([
  ["a queue takes five", 5, "queue_full", { MAX_QUEUED_JOBS: 5 }, {}],
  ["an owner may have three", 3, "waiting_jobs_limit", { MAX_WAITING_JOBS_PER_OWNER: 3 }, {}],
  // Each counts some 3,500 bytes.
  ["an owner may hold the bytes of four", 4, "waiting_bytes_limit", LIMITED_BYTES, { text: "x".repeat(2_100) }],
  ["an idle session takes one", 1, "session_busy", {}, { onBusy: "reject" }],
  ["a session that queues takes all", AT_ONCE, "session_busy", {}, { onBusy: "queue" }],
] as const)("of fifty jobs at once, %s", async (_what, accepted, code, limits, request) => {
  expect(await acceptAtOnce(limits, request)).toEqual(Array.from({ length: AT_ONCE - accepted }, () => code));
});
