/**
 * Shares: an owner who has used up a share gets 429 with a code of its own and a Retry-After, leaves nothing behind,
 * and takes nothing from the others; what ends makes room again.
 */
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import type { Server } from "../../scripts/services/server.ts";
import type { Answer, ApiClient, Json } from "../support/api-client.ts";
import { cancelUnfinished } from "../support/cancel-unfinished.ts";
import { inParallel } from "../support/in-parallel.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { countQueuedJobs, keysOfAcceptedJobs } from "../support/platform-state.ts";
import { startPrivateRedis } from "../support/redis.ts";
import { waitFor } from "../support/wait-for.ts";

const LARGE = "x".repeat(240_000);

let redis: Server;
let platform: TestPlatform;
beforeAll(async () => {
  redis = await startPrivateRedis();
  platform = await startTestPlatform({ redisUrl: redis.url, workers: 0 });
  // The API lists the agents of a worker for days after the worker has stopped.
  await (await platform.startWorker()).stop(10_000);
});
afterAll(async () => {
  await platform.stop();
  await redis.stop();
});

const execute = (client: ApiClient, body: object = {}, headers: Record<string, string> = {}) =>
  client.post("/agents/chat_basic/execute", { task: "[[text=Done]] Work", ...body }, headers);

function expectRefusal({ status, headers, body }: Answer<Json>, code: string): void {
  expect(body.error).toMatchObject({ code, type: "limit_error" });
  expect(status).toBe(429);
  expect(Number(headers.get("retry-after"))).toBeGreaterThanOrEqual(5);
}

const traces = async () => ({ keys: await keysOfAcceptedJobs(platform), jobs: await countQueuedJobs(platform) });

test("an owner with as many waiting jobs as the limit gets no further one, until some have ended", async () => {
  const { alice, bob } = await platform.startApi({ MAX_WAITING_JOBS_PER_OWNER: "3" });
  const first = await execute(alice, {}, { "Idempotency-Key": "first" });
  const atOnce = await Promise.all(Array.from({ length: 50 }, () => execute(alice)));
  const refused = atOnce.filter(({ status }) => status !== 202);
  expect(refused.length).toBe(48);
  for (const answer of refused) expectRefusal(answer, "waiting_jobs_limit");
  const before = await traces();
  expectRefusal(await execute(alice), "waiting_jobs_limit");
  expectRefusal(await execute(alice, {}, { "Idempotency-Key": "refused" }), "waiting_jobs_limit");
  expectRefusal(await execute(alice, { input: LARGE }), "waiting_jobs_limit");
  expectRefusal(await alice.chatWhole("In the other queue"), "waiting_jobs_limit");
  expect(await traces()).toEqual(before);
  expect((await execute(alice, {}, { "Idempotency-Key": "first" })).body.job_id).toBe(first.body.job_id);
  expect((await execute(bob)).status).toBe(202);

  const worker = await platform.startWorker();
  await alice.ended(first.body.job_id);
  const later = await waitFor("room", async () => {
    const answer = await execute(alice);
    return answer.status === 202 && answer;
  });
  expect(await alice.ended(later.body.job_id)).toMatchObject({ status: "completed" });
  await waitFor("the others", async () => (await countQueuedJobs(platform)) === 0);
  await worker.stop(10_000);
});

test("225 jobs of 240 KB by one owner do not fill a Redis of 60 MB for another one", async () => {
  const { alice, bob } = await platform.startApi();
  await platform.redis.config("SET", "maxmemory", 60_000_000);
  onTestFinished(async () => void (await platform.redis.config("SET", "maxmemory", 0)));
  const health = () => alice.get("/health");
  await waitFor("a sample", async () => (await health()).body.checks.redis.max_memory_bytes === 60_000_000);

  const answers = await inParallel(8, Array.from({ length: 225 }), () => execute(alice, { input: LARGE }));
  const accepted = answers.filter(({ status }) => status === 202);
  expect(accepted.length).toBeGreaterThan(40);
  for (const refused of answers.filter(({ status }) => status !== 202)) expectRefusal(refused, "waiting_bytes_limit");
  expect((await execute(bob)).status).toBe(202);
  (await bob.chat({ message: "[[text=Hello]] Hello" })).cut();

  await inParallel(8, accepted, ({ body }) => alice.cancel(body.job_id));
  const worker = await platform.startWorker();
  await waitFor("their ends", async () => (await countQueuedJobs(platform)) === 0, 30_000);
  await waitFor("room", async () => (await execute(alice, { input: LARGE })).status === 202);
  await waitFor("the last", async () => (await countQueuedJobs(platform)) === 0);
  await worker.stop(10_000);
});

test("an owner with as many open streams as the limit opens no further one, until one is closed", async () => {
  const { alice, bob } = await platform.startApi({ MAX_OPEN_STREAMS_PER_OWNER: "2" });
  const jobId = (await execute(alice)).body.job_id;
  const [first, second] = [await alice.follow(jobId), await alice.follow(jobId)];
  expectRefusal(await alice.get(`/jobs/${jobId}/events`), "open_streams_limit");
  expectRefusal(await alice.get(`/jobs/${jobId}?wait=5`), "open_streams_limit");
  const before = await traces();
  expectRefusal(await alice.chatWhole("Whole"), "open_streams_limit");
  expect(await traces()).toEqual(before);
  expect((await alice.get(`/jobs/${jobId}`)).status).toBe(200);
  expect((await bob.get("/jobs?limit=1")).status).toBe(200);
  first.cut();
  const third = await waitFor("a place", () => alice.follow(jobId).catch(() => null));
  second.cut();
  third.cut();
  await cancelUnfinished(alice);
});

test("an owner with as many sessions as the limit begins no further one, and goes on in those", async () => {
  const { alice, bob } = await platform.startApi({ MAX_SESSIONS_PER_OWNER: "2" });
  const worker = await platform.startWorker();
  const sessions = async () => (await bob.get("/sessions")).body.sessions;
  for (const session of await sessions()) await bob.delete(`/sessions/${session.id}`);
  await bob.chatWhole("[[text=One]] 1");
  const { body } = await bob.chatWhole("[[text=Two]] 2");
  await waitFor("the limit", async () => (await bob.chatWhole("[[text=Three]] 3")).status === 429);
  expectRefusal(await bob.chatWhole("[[text=Three]] 3"), "sessions_limit");
  expect((await bob.chatWhole("[[text=Four]] 4", { session_id: body.session_id })).status).toBe(200);
  expect((await execute(bob)).status).toBe(202);
  expect((await alice.chatWhole("[[text=Hers]] 5")).status).toBe(200);
  for (const session of await sessions()) await bob.delete(`/sessions/${session.id}`);
  await waitFor("room", async () => (await bob.chatWhole("[[text=Again]] 6")).status === 200);
  await worker.stop(10_000);
});
