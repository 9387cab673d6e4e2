/**
 * Jobs as large as a request, waiting in hundreds: what one owner has waiting costs others nothing. Lists, polls and
 * cancels answer at once, nobody's jobs hide those of another, and a large job runs with all that it was sent with,
 * whatever dies on the way.
 */
import { newId } from "@agent-paas/shared/ids.ts";
import { createRedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { Queue } from "bullmq";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { Server } from "../../scripts/services/server.ts";
import { loseQueuedJob, queuedBytes } from "../support/bullmq.ts";
import { inParallel } from "../support/in-parallel.ts";
import { jobPayload } from "../support/job-payload.ts";
import { ownedBytes } from "../support/job-state.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { keysInRedis } from "../support/platform-state.ts";
import { startPrivateRedis } from "../support/redis.ts";
import { waitFor } from "../support/wait-for.ts";

const LARGE = "x".repeat(240_000);

let redis: Server;
let platform: TestPlatform;
beforeAll(async () => {
  redis = await startPrivateRedis();
  platform = await startTestPlatform({
    redisUrl: redis.url,
    workers: 0,
    env: { MAX_WAITING_BYTES_PER_OWNER: "200000000" },
  });
  // The API lists the agents of a worker for days after the worker has stopped.
  await (await platform.startWorker()).stop(10_000);
});
afterAll(async () => {
  await platform.stop();
  await redis.stop();
});

const storedKeys = async () =>
  (await keysInRedis(platform)).filter((key) => /:(payload|upload|owner-[a-z]+):|:owner-bytes$/.test(key));

describe("245 waiting jobs of 240 KB", () => {
  const jobIds: string[] = [];

  test("another owner's chats are accepted while the list of large jobs is read, and its own list is its own", async () => {
    const { alice, bob } = platform;
    const own = await bob.execute("Mine");
    await inParallel(8, Array.from({ length: 245 }), async () => {
      jobIds.push(await alice.execute("Large", { input: LARGE }));
    });
    const reads = Array.from({ length: 8 }, () => alice.get("/jobs?limit=1"));
    const posts = Array.from({ length: 8 }, () => bob.post("/agents/chat_basic/execute", { task: "Small" }));
    const statuses = (await Promise.all([...reads, ...posts])).map(({ status }) => status);
    expect(statuses).toEqual([...Array(8).fill(200), ...Array(8).fill(202)]);
    const { body } = await bob.get("/jobs");
    expect(body.jobs.map(({ id }: { id: string }) => id)).toContain(own);
    expect(body.jobs).toHaveLength(9);
  });

  test("the list of queued jobs has each of them once, page by page, newest first, with its position", async () => {
    const { alice } = platform;
    const found: { id: string; queue_position: number }[] = [];
    for (let next: string | null = ""; next !== null; ) {
      const { body } = await alice.get(`/jobs?status=queued&limit=100${next && `&before=${next}`}`);
      found.push(...body.jobs);
      next = body.next;
    }
    expect(found.map(({ id }) => id)).toEqual([...jobIds].sort().reverse());
    expect(found.map(({ queue_position }) => queue_position)).toEqual(Array.from({ length: 245 }, (_, at) => 245 - at));
    expect((await alice.get(`/jobs?status=queued&session_id=${newId()}`)).body).toEqual({ jobs: [], next: null });
    expect((await alice.get("/jobs?status=queued&kind=chat")).body.jobs).toEqual([]);
  });

  test("all of them can be cancelled at once, and leave nothing in Redis when they have ended", async () => {
    const { alice } = platform;
    const answers = await Promise.all(jobIds.map((jobId) => alice.cancel(jobId)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    const worker = await platform.startWorker();
    await inParallel(8, jobIds, async (jobId) => {
      expect((await alice.ended(jobId)).status).toBe("cancelled");
    });
    await waitFor("empty indexes", async () => (await storedKeys()).length === 0);
    await worker.stop(10_000);
  });
});

describe("a large job", () => {
  const task = `[[tokens=60 rate=20]] ${"t".repeat(60_000)}`;
  const body = { task, input: "word ".repeat(24_000), metadata: { note: "n".repeat(3_000) } };

  test("a large job keeps its metadata in lists and polls, and runs with its input after its worker was killed", async () => {
    const { alice } = platform;
    const accepted = await alice.post("/agents/chat_basic/execute", body, { "Idempotency-Key": "large" });
    expect(accepted.status).toBe(202);
    const jobId = accepted.body.job_id;
    expect((await alice.job(jobId)).metadata).toEqual(body.metadata);
    expect((await alice.get("/jobs?status=queued")).body.jobs).toMatchObject([{ id: jobId, metadata: body.metadata }]);
    expect(await queuedBytes(platform, "execute", jobId)).toBeLessThan(2_000);

    const first = await platform.startWorker();
    await alice.started(jobId);
    await first.kill();
    const second = await platform.startWorker();
    // The model obeys the directive in the task, so the second attempt has it as well.
    const ended = await alice.ended(jobId, 60_000);
    expect(ended).toMatchObject({ status: "completed", attempt: 2, metadata: body.metadata });
    expect(ended.usage.output_tokens).toBe(60);
    expect(ended.usage.input_tokens).toBeGreaterThan(10_000);
    await waitFor("empty indexes", async () => (await storedKeys()).length === 0);
    await second.stop(10_000);
  });

  test("a large job that was recorded and not queued is queued whole by the repeated request", async () => {
    const { alice, keys } = platform;
    const send = () => alice.post("/agents/chat_basic/execute", { ...body, task: "[[text=Whole]] Lost" }, KEY);
    const KEY = { "Idempotency-Key": "lost" };
    const { job_id: jobId } = (await send()).body;
    await loseQueuedJob(platform, "execute", jobId);
    await platform.redis.del(keys.payload(jobId), keys.ownerIndex("execute", "alice"), keys.ownerBytes);
    expect((await send()).body).toMatchObject({ job_id: jobId, status: "queued" });
    const worker = await platform.startWorker();
    expect(await alice.ended(jobId)).toMatchObject({ status: "completed", result: { content: "Whole" } });
    await worker.stop(10_000);
  });
});

test("a large job that an earlier version queued as a whole is listed, counted and run", async () => {
  const payload = jobPayload({ text: "[[text=Former]] Work", input: LARGE });
  const former = await startTestPlatform({
    workers: 0,
    async prepare({ redis: connection, prefix }) {
      const queue = new Queue("execute", { connection, prefix: createRedisKeys(prefix).bullmq });
      await queue.add("execute", payload, { jobId: payload.job_id });
      await queue.close();
    },
  });
  onTestFinished(() => former.stop());
  const { alice } = former;
  expect((await alice.get("/jobs?status=queued")).body.jobs).toMatchObject([{ id: payload.job_id, queue_position: 1 }]);
  expect(await ownedBytes(former, "alice")).toBeGreaterThan(LARGE.length);
  await former.startWorker();
  expect(await alice.ended(payload.job_id)).toMatchObject({ status: "completed", result: { content: "Former" } });
  await waitFor("an empty index", async () => (await ownedBytes(former, "alice")) === 0);
});
