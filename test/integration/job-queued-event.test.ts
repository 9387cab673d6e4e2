/**
 * The telemetry event of an accepted job, on a real Redis: published once per job, with the trace that it belongs to.
 */
import type { JobPayload } from "@agent-paas/shared/contract/jobs.ts";
import { newId } from "@agent-paas/shared/ids.ts";
import { createReleasers } from "@agent-paas/shared/lifecycle/releasers.ts";
import { createRedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { observe, type TelemetryEvents } from "@agent-paas/shared/telemetry/telemetry.ts";
import { pino } from "pino";
import { expect, inject, onTestFinished, test } from "vitest";
import { openJobs } from "../../apps/api/src/compose/jobs.ts";
import { jobPayload } from "../support/job-payload.ts";
import { openTestRedis } from "../support/redis.ts";
import { waitFor } from "../support/wait-for.ts";

const TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

async function openAccept(maxQueuedJobs: number) {
  const keys = createRedisKeys(`t${newId().slice(-8)}`);
  const requests = openTestRedis(inject("redisUrl"), keys);
  const releasers = createReleasers((name, error) => {
    throw new Error(`${name} was not released`, { cause: error });
  });
  onTestFinished(async () => {
    await releasers.release();
    const names = await requests.keys(`${keys.bullmq}*`);
    await requests.del(...names);
    requests.disconnect();
  });
  await waitFor("Redis", () => requests.status === "ready");
  const none = { find: async () => undefined };
  const { accept, queuedJobs } = openJobs(
    {
      ...{ MAX_QUEUED_JOBS: maxQueuedJobs, IDEMPOTENCY_TTL_SECONDS: 60 },
      ...{ MAX_WAITING_BYTES_PER_OWNER: 1e9, MAX_SESSIONS_PER_OWNER: 100, ACCEPT_MIN_REPLICAS: 0 },
    },
    {
      redis: { requests, reads: requests, replicas: null, keys },
      storage: { jobs: none, sessions: { ...none, count: async () => 0 } },
      agentCatalog: { cannotWrite: async () => false },
      logger: pino({ enabled: false }),
    },
    releasers,
  );
  const published: TelemetryEvents["job.queued"][] = [];
  onTestFinished(observe("job.queued", (event) => published.push(event)));
  const post = (payload: JobPayload, key?: string) =>
    accept({
      payload,
      newSession: null,
      onBusy: "queue",
      idempotency: key === undefined ? null : { key, bodyHash: "h" },
    });
  return { post, queuedJobs, published };
}

test("a new job publishes one event with its trace, and its payload carries the trace to the worker", async () => {
  const { post, queuedJobs, published } = await openAccept(100);
  const payload = jobPayload({ traceparent: TRACEPARENT });
  await post(payload);
  const { job_id, kind, agent_type, owner } = payload;
  expect(published).toEqual([{ job_id, kind, agent_type, owner, traceparent: TRACEPARENT }]);
  expect((await queuedJobs.find(owner, job_id))?.payload.traceparent).toBe(TRACEPARENT);
});

test("a request that joins the job of an earlier one publishes no event", async () => {
  const { post, published } = await openAccept(100);
  const first = await post(jobPayload(), "k");
  const second = await post(jobPayload(), "k");
  expect(second).toEqual({ ...first, isNew: false });
  expect(published.map(({ job_id, traceparent }) => [job_id, traceparent])).toEqual([[first.jobId, undefined]]);
});

test("a job that is refused because the queue is full publishes no event", async () => {
  const { post, published } = await openAccept(1);
  await post(jobPayload());
  await expect(post(jobPayload())).rejects.toMatchObject({ code: "queue_full" });
  expect(published).toHaveLength(1);
});
