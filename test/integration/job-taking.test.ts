/** How workers take jobs from a queue: each once, none late, and no worker is woken for nothing. */
import { createRedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { type Job, Queue } from "bullmq";
import { expect, onTestFinished, test } from "vitest";
import { BriefWorker } from "../../apps/worker/src/queue/brief-worker.ts";
import { openTestRedis, startPrivateRedis } from "../support/redis.ts";
import { waitFor } from "../support/wait-for.ts";

const WORKERS = 2;

/** A Redis of its own, since its counts of commands are looked at. */
async function open(concurrency: number, work: (job: Job) => Promise<void> = async () => {}) {
  const server = await startPrivateRedis();
  const keys = createRedisKeys("t");
  const done: string[] = [];
  const workers = Array.from({ length: WORKERS }, (_, at) => {
    const connection = openTestRedis(server.url, keys);
    const process = async (job: Job) => {
      await work(job);
      done.push(job.name);
    };
    const options = { connection, prefix: "{t}", name: `w${at}`, lockDuration: 20_000, concurrency };
    return { connection, worker: new BriefWorker("q", process, options) };
  });
  const redis = openTestRedis(server.url, keys);
  const queue = new Queue("q", { connection: redis, prefix: "{t}", defaultJobOptions: { removeOnComplete: true } });
  onTestFinished(async () => {
    await Promise.all(workers.map(({ worker }) => worker.close()));
    for (const { connection } of workers) connection.disconnect();
    await queue.close();
    redis.disconnect();
    await server.stop();
  });
  await Promise.all(workers.map(({ worker }) => worker.waitUntilReady()));
  const callsOf = async (command: string) => {
    const stats = await redis.info("commandstats");
    return Number(new RegExp(`^cmdstat_${command}:calls=(\\d+)`, "m").exec(stats)?.[1] ?? 0);
  };
  /** Until every worker waits for a job. */
  const idle = () =>
    waitFor("workers that wait", async () => {
      const clients = String(await redis.client("LIST"));
      return clients.split("\n").filter((line) => line.includes("cmd=bzpopmin")).length === WORKERS;
    });
  await idle();
  return { queue, redis, done, idle, callsOf };
}

test("a job that comes alone is taken with one look, and wakes no other worker", async () => {
  const { queue, redis, done, idle, callsOf } = await open(5);
  await redis.config("RESETSTAT");
  for (let job = 1; job <= 20; job += 1) {
    await queue.add(`job-${job}`, {});
    await waitFor("the job's end", () => done.length === job);
  }
  await idle();
  // BullMQ's own look, of which each that finds nothing asks for jobs with a priority as well.
  expect(await callsOf("zpopmin")).toBeLessThanOrEqual(WORKERS);
  expect(await callsOf("rpoplpush")).toBeLessThanOrEqual(20 + 2 * WORKERS);
});

test("jobs that come together are each taken once, and both workers take part", async () => {
  const takenBy = new Set<string>();
  const { queue, redis, done } = await open(3, async (job) => void takenBy.add(job.processedBy ?? ""));
  await queue.addBulk(Array.from({ length: 300 }, (_, at) => ({ name: `job-${at}`, data: {} })));
  await waitFor("all ends", () => done.length >= 300);
  expect(new Set(done).size).toBe(300);
  expect([...takenBy].sort()).toEqual(["w0", "w1"]);
  await waitFor("empty lists", async () => (await redis.exists(queue.toKey("wait"), queue.toKey("active"))) === 0);
});

test("jobs that wait while all slots are taken start as soon as one is free", async () => {
  const gates = new Map<string, () => void>();
  const { queue, done } = await open(1, (job) => new Promise((resolve) => gates.set(job.name, resolve)));
  for (let job = 1; job <= 4; job += 1) await queue.add(`job-${job}`, {});
  await waitFor("two runs", () => gates.size === WORKERS);
  for (const name of ["job-1", "job-2", "job-3", "job-4"]) {
    await waitFor(`the start of ${name}`, () => gates.has(name), 2_000);
    gates.get(name)?.();
  }
  await waitFor("all ends", () => done.length === 4);
});

test("a delayed job starts when its time has come, also while others come and go", async () => {
  const early: string[] = [];
  const { queue, done, idle } = await open(2, async (job) => {
    if (Date.now() < job.timestamp + (job.opts.delay ?? 0)) early.push(job.name);
  });
  await queue.add("late", {}, { delay: 1_000 });
  await queue.add("soon", {});
  await waitFor("the one without a delay", () => done.includes("soon"), 900);
  await waitFor("the delayed one", () => done.includes("late"), 3_500);
  expect(early).toEqual([]);
  await idle();
  await queue.add("next", {});
  await waitFor("one after it", () => done.includes("next"), 2_000);
});

test("nothing is taken from a paused queue until it is resumed", async () => {
  const { queue, redis, done, idle } = await open(2);
  await queue.pause();
  await queue.add("job", {});
  await idle();
  expect(await redis.llen(queue.toKey("active"))).toBe(0);
  await queue.resume();
  await waitFor("its end", () => done.includes("job"));
});
