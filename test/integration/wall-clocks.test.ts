/**
 * Machines whose wall clocks are set, or differ by an hour: ages and waits go by monotonic clocks, and times that
 * processes compare by the clock of Redis.
 */
import { HOUR, MINUTE, SECOND } from "@agent-paas/shared/time.ts";
import { Redis } from "ioredis";
import { expect, onTestFinished, test } from "vitest";
import { dropLock, isDelayed, isPresent, postpone, publishManifest, publishPresence } from "../support/bullmq.ts";
import { startTestPlatform, type TestPlatform, type TestPlatformOptions } from "../support/platform.ts";
import { startPrivateRedis } from "../support/redis.ts";
import { shiftedClock } from "../support/shifted-clock.ts";
import { waitFor } from "../support/wait-for.ts";

async function startPlatform(options: TestPlatformOptions): Promise<TestPlatform> {
  const platform = await startTestPlatform(options);
  onTestFinished(() => platform.stop());
  return platform;
}

/** The config of an agent that no worker has has one field. */
const publishAgent = (platform: TestPlatform, field: string): Promise<void> => {
  const config_schema = { type: "object", properties: { [field]: { type: "number" } }, additionalProperties: false };
  return publishManifest(platform, {
    ...{ id: "of_yesterday", description: "", config_schema, tools: [], unavailable_tools: [], client_tools: false },
  });
};

const SET_BACK = shiftedClock(-HOUR, { signal: "SIGUSR2" });

test("an API whose clock is set back an hour accepts jobs as soon as Redis has memory again", async () => {
  const server = await startPrivateRedis();
  const control = new Redis(server.url);
  const platform = await startPlatform({ redisUrl: server.url, workers: 0, env: SET_BACK });
  onTestFinished(async () => {
    control.disconnect();
    await server.stop();
  });
  await publishAgent(platform, "old");
  const post = () => platform.alice.post("/agents/of_yesterday/execute", { task: "hello" });
  expect((await post()).status).toBe(202);
  const used = Number(/used_memory:(\d+)/.exec(await control.info("memory"))?.[1]);
  // Above the limit of admission, and not beyond what Redis itself accepts.
  await control.config("SET", "maxmemory", Math.ceil(used / 0.93));
  await waitFor("a refusal", async () => (await post()).body.error?.code === "queue_full");
  platform.apis[0]?.signal("SIGUSR2");
  await control.config("SET", "maxmemory", 0);
  await waitFor("a job to be accepted", async () => (await post()).status === 202, 15 * SECOND);
});

test("an API whose clock is set back an hour goes on reading what workers publish of their agents", async () => {
  const platform = await startPlatform({ workers: 0, env: SET_BACK });
  await publishAgent(platform, "old");
  const post = (config: object) => platform.alice.post("/agents/of_yesterday/execute", { task: "hello", config });
  expect((await post({ old: 1 })).status).toBe(202);
  platform.apis[0]?.signal("SIGUSR2");
  await publishAgent(platform, "added");
  await waitFor("the new schema", async () => (await post({ added: 1 })).status === 202, 15 * SECOND);
});

test("a job of an API whose clock is an hour behind has times by the clock of Redis, and waits for its agent", async () => {
  const platform = await startPlatform({ apis: 1 });
  const { alice } = await platform.startApi(shiftedClock(-HOUR));
  await publishAgent(platform, "old");
  const waits = await alice.execute("hello", {}, "of_yesterday");
  await waitFor("the job to be delayed, not failed", () => isDelayed(platform, "execute", waits));

  const now = Date.now();
  const jobId = await alice.execute("[[text=Done]] hello");
  const job = await alice.ended(jobId);
  const bornAt = Number.parseInt(jobId.replaceAll("-", "").slice(0, 12), 16);
  for (const at of [bornAt, ...[job.created_at, job.started_at, job.finished_at].map(Date.parse)]) {
    expect(Math.abs(at - now)).toBeLessThan(MINUTE);
  }
});

test.each([-HOUR, HOUR])("deadline_ms counts over workers whose clocks differ by %i ms", async (ms) => {
  const platform = await startPlatform({ workers: 0 });
  const { alice } = platform;
  const first = await platform.startWorker(shiftedClock(ms));
  const limits = { deadline_ms: 12 * SECOND };
  const [short, long] = [
    await alice.execute("[[tokens=20 rate=10]] short", { limits: { deadline_ms: MINUTE } }),
    await alice.execute("[[tokens=5000 rate=10]] long", { limits }),
  ];
  await Promise.all([alice.started(short), alice.started(long)]);
  await first.kill();
  await platform.startWorker();
  await dropLock(platform, "execute", short, long);
  expect(await alice.ended(short, MINUTE)).toMatchObject({ status: "completed", attempt: 2 });
  expect(await alice.ended(long, MINUTE)).toMatchObject({ status: "failed", error: { code: "budget_exhausted" } });
});

test("a job that a worker with a clock an hour ahead has delayed starts within seconds", async () => {
  const platform = await startPlatform({});
  await publishAgent(platform, "old");
  const jobId = await platform.alice.execute("hello", {}, "of_yesterday");
  const isAnHourAway = async () => (await postpone(platform, "execute", [jobId], HOUR)) === 1;
  await waitFor("the job to be delayed for an hour", isAnHourAway);
  const later = (Date.now() + 2 * MINUTE) * 0x1000;
  const isSoon = async () => {
    const score = await platform.redis.zscore(platform.keys.delayedJobs("execute"), jobId);
    return score === null || Number(score) < later;
  };
  await waitFor("the job to be due", isSoon, 15 * SECOND);
});

test("a worker that was heard by a clock of Redis that was set back since then counts as dead", async () => {
  const platform = await startPlatform({ workers: 0, env: { NO_WORKER_GRACE_MS: "500" } });
  await publishAgent(platform, "old");
  await publishPresence(platform, "dead", Date.now() + HOUR);
  const health = async () => (await platform.alice.get("/health")).body.checks.workers;
  await waitFor("the dead worker to count as dead", async () => (await health()).status === "down");
  await platform.startWorker();
  await waitFor("its record to be forgotten", async () => !(await isPresent(platform, "dead")));
});
