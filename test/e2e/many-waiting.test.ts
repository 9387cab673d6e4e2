/**
 * I11: a thousand jobs wait for people on a worker with one slot. They hold no slot, no lock, no place and no
 * connection, and one decision has one of them go on.
 */
import { readdir } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { inParallel } from "../support/in-parallel.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { waitFor } from "../support/wait-for.ts";
import { decide } from "../support/waiting-job.ts";

const JOBS = 1_000;
const AT_ONCE = 50;

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ env: { WORKER_EXECUTE_CONCURRENCY: "1", WORKER_RESERVED_PERCENT: "0" } });
});
afterAll(() => platform.stop());

const config = { tools: ["calculator"], approve: ["calculator"] };
const TASK = `[[calls=calculator({"expression":"6*7"})]] many`;

const suspended = async () => (await platform.alice.get("/health")).body.checks.queues.suspended;
/** How many jobs are active, have a place, are queued and are delayed. */
const inLists = () =>
  Promise.all([
    platform.redis.llen(platform.keys.activeJobs("execute")),
    platform.redis.zcard(platform.keys.places("execute")),
    platform.redis.llen(platform.keys.waitingJobs("execute")),
    platform.redis.zcard(platform.keys.delayedJobs("execute")),
  ]);
/** Of the worker: its connections are among them. */
const openFiles = async () => (await readdir(`/proc/${platform.workers[0]?.pid}/fd`)).length;

test("a thousand jobs that wait cost a worker nothing", async () => {
  expect((await platform.alice.ended(await platform.alice.execute("[[text=First]] job"))).status).toBe("completed");
  const before = await openFiles();
  const ids = await inParallel(AT_ONCE, Array(JOBS).fill(TASK), (task) =>
    platform.alice.execute(task, { config }, "tool_basic"),
  );
  await waitFor("all to wait", async () => (await suspended()) === JOBS, 150_000);
  // The last job may be about to be let go of.
  await waitFor("nothing to be in a list", async () => (await inLists()).every((count) => count === 0));
  expect(await openFiles()).toBeLessThanOrEqual(before + 5);

  // The one slot is free, and a page of the inbox is as long as its limit.
  expect((await platform.alice.ended(await platform.alice.execute("[[text=Next]] job"))).result.content).toBe("Next");
  const { body: page } = await platform.alice.get("/jobs?status=waiting&limit=200");
  expect(page.jobs.map(({ id }: { id: string }) => id)).toEqual(ids.toSorted().toReversed().slice(0, 200));

  const [first = ""] = ids;
  const [{ request_id }] = (await platform.alice.job(first)).waiting_for;
  await decide(platform.alice, first, { request_id, decision: "approve" });
  expect((await platform.alice.ended(first)).result.content).toContain("42");
  await waitFor("health to count one less", async () => (await suspended()) === JOBS - 1);
}, 240_000);
