/**
 * Admission: a job that would exceed the queue's limit, or the memory of Redis, is refused with a 503 and a
 * Retry-After, and leaves nothing in Redis. A repeated request still joins its accepted job, and jobs are accepted
 * again once there is capacity.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Server } from "../../scripts/services/server.ts";
import type { Answer, ApiClient, Json } from "../support/api-client.ts";
import { countWaiting } from "../support/bullmq.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { countQueuedJobs, keysOfAcceptedJobs } from "../support/platform-state.ts";
import { startPrivateRedis } from "../support/redis.ts";
import { waitFor } from "../support/wait-for.ts";

const MAX_QUEUED_JOBS = 5;

let redis: Server;
let platform: TestPlatform;
let alice: ApiClient;
beforeAll(async () => {
  redis = await startPrivateRedis();
  platform = await startTestPlatform({
    redisUrl: redis.url,
    workers: 0,
    env: { MAX_QUEUED_JOBS: String(MAX_QUEUED_JOBS) },
  });
  ({ alice } = platform);
  // The API lists the agents of a worker for days after the worker has stopped.
  await (await platform.startWorker()).stop(10_000);
});
afterAll(async () => {
  await platform.stop();
  await redis.stop();
});

const execute = (task: string, headers: Record<string, string> = {}) =>
  alice.post("/agents/chat_basic/execute", { task }, headers);
const tracesOfRequests = async () => ({
  keys: await keysOfAcceptedJobs(platform),
  jobs: await countQueuedJobs(platform),
});

function expectRefusal({ status, headers, body }: Answer<Json>): void {
  expect(status).toBe(503);
  expect(body.error).toMatchObject({ code: "queue_full", type: "unavailable_error" });
  expect(Number(headers.get("retry-after"))).toBeGreaterThanOrEqual(5);
}

describe("a full queue", () => {
  const jobIds: string[] = [];

  test("fifty requests at once over two API processes fill a queue to its limit, and a refused one leaves no trace", async () => {
    const first = await execute("[[text=Done]] First", { "Idempotency-Key": "first" });
    expect(first.status).toBe(202);
    jobIds.push(first.body.job_id);
    const elsewhere = (await platform.startApi()).alice;
    const path = "/agents/chat_basic/execute";
    const posts = Array.from({ length: 50 }, (_, at) => {
      const headers = at % 3 === 0 ? {} : { "Idempotency-Key": `at-once-${at}` };
      return (at % 2 === 0 ? alice : elsewhere).post(path, { task: "[[text=Done]] Work" }, headers);
    });
    for (const answer of await Promise.all(posts)) {
      if (answer.status === 202) jobIds.push(answer.body.job_id);
      else expectRefusal(answer);
    }
    expect(jobIds.length).toBe(MAX_QUEUED_JOBS);

    const traces = await tracesOfRequests();
    expectRefusal(await execute("One too many"));
    expectRefusal(await execute("One too many", { "Idempotency-Key": "refused" }));
    expect(await tracesOfRequests()).toEqual(traces);
    expect(traces.jobs).toBe(MAX_QUEUED_JOBS);
    expect(traces.keys).not.toEqual([]);
  });

  test("a repeated request joins its accepted job while the queue is full", async () => {
    const repeated = await execute("[[text=Done]] First", { "Idempotency-Key": "first" });
    expect(repeated).toMatchObject({ status: 202, body: { job_id: jobIds[0] } });
  });

  test("a full queue leaves the other queue open, is reported by health, and allows its jobs to be cancelled", async () => {
    const waiting = alice.chat({ message: "[[text=Hello]] In the other queue" });
    await waitFor("the chat", async () => (await countWaiting(platform, "chat")) === 1);
    const health = await alice.get("/health");
    expect(health.status).toBe(200);
    expect(health.body).toMatchObject({ status: "degraded", checks: { queues: { status: "degraded" } } });
    expect((await alice.get("/readyz")).status).toBe(200);
    expect((await alice.cancel(jobIds[1] ?? "")).status).toBe(202);

    await platform.startWorker();
    expect((await (await waiting).all()).at(-1)).toMatchObject({ event: "done", data: { status: "completed" } });
  });

  test("a queue that was full accepts jobs again as soon as jobs have ended, and runs no job that was refused", async () => {
    await Promise.all(jobIds.map((jobId) => alice.ended(jobId)));
    const jobId = await alice.execute("[[text=Done]] After");
    expect((await alice.ended(jobId)).result.content).toBe("Done");
    expect(await platform.model.calls({ contains: "too many" })).toEqual([]);
  });
});

describe("a Redis that is nearly full", () => {
  const limitMemory = (bytes: number) => platform.redis.config("SET", "maxmemory", bytes);
  const usedMemory = async () => Number(/used_memory:(\d+)/.exec(await platform.redis.info("memory"))?.[1]);
  afterEach(() => limitMemory(0));

  test("a Redis that is nearly full gets no new job, and accepted jobs end", async () => {
    const { body: running } = await execute("[[tokens=40 rate=20]] Running", { "Idempotency-Key": "running" });
    await limitMemory(Math.round((await usedMemory()) / 0.95));
    const health = await waitFor("health", async () => {
      const { body } = await alice.get("/health");
      return body.checks.redis.status === "degraded" && body;
    });
    expect(health.status).toBe("degraded");
    expect(health.checks.redis.used_memory_bytes / health.checks.redis.max_memory_bytes).toBeGreaterThan(0.8);
    expect((await alice.get("/readyz")).status).toBe(200);

    expectRefusal(await execute("No memory for a task"));
    expectRefusal(await alice.chatWhole("No memory for a chat"));
    const repeated = await execute("[[tokens=40 rate=20]] Running", { "Idempotency-Key": "running" });
    expect(repeated).toMatchObject({ status: 202, body: { job_id: running.job_id } });
    expect(await alice.ended(running.job_id)).toMatchObject({ status: "completed", attempt: 1 });
  });

  test("a job that Redis itself refuses is refused alike, and jobs are accepted again when Redis has memory", async () => {
    const { body: ended } = await waitFor("capacity", async () => {
      const answer = await alice.chatWhole("[[text=Kept]] Before");
      return answer.status === 200 && answer;
    });
    await limitMemory(1_000_000);
    // The API may not have sampled the memory yet: then Redis refuses the write.
    expectRefusal(await execute("No memory at all"));
    expectRefusal(await alice.chatWhole("No memory at all", { session_id: ended.session_id }));
    expectRefusal(await alice.chatWhole("No memory at all", {}, { "Idempotency-Key": "never" }));
    expect((await alice.get("/health")).body).toMatchObject({
      status: "degraded",
      checks: { redis: { status: "degraded" } },
    });
    expect((await alice.job(ended.job_id)).status).toBe("completed");

    await limitMemory(0);
    await waitFor("chats to work again", async () => (await alice.chatWhole("[[text=Back]] Again")).status === 200);
    expect(await platform.model.calls({ contains: "No memory" })).toEqual([]);
  });
});
