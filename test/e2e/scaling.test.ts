/**
 * A backlog of jobs that wait for the model is finished in the n-th part of the time by n workers, each job is started
 * once (I4), and a worker that is added later takes its share.
 */

import { openReadStorage } from "@agent-paas/shared/db/open-storage.ts";
import type { JobRow } from "@agent-paas/shared/db/rows.ts";
import type { ReadStorage } from "@agent-paas/shared/db/storage.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { inParallel } from "../support/in-parallel.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { waitFor } from "../support/wait-for.ts";

const JOBS = 32;
const JOB_MS = 500;
/** Execute jobs at once per worker. */
const CONCURRENCY = 2;
const SUBMIT_AT_ONCE = 8;
const STOP_WITHIN_MS = 15_000;

type Backlog = Pick<JobRow, "id" | "status" | "attempts" | "worker" | "started_at" | "finished_at">;

let platform: TestPlatform;
let database: ReadStorage;
beforeAll(async () => {
  platform = await startTestPlatform({ modelApart: true, env: { WORKER_EXECUTE_CONCURRENCY: String(CONCURRENCY) } });
  database = openReadStorage(platform.databaseUrl);
});
afterAll(async () => {
  await database.close();
  await platform.stop();
});

const startWorkers = (...names: string[]) =>
  Promise.all(names.map((name) => platform.startWorker({ PROCESS_NAME: name })));

const submit = (label: string, count = JOBS): Promise<string[]> =>
  inParallel(SUBMIT_AT_ONCE, Array.from({ length: count }), (_, at) =>
    platform.alice.execute(`${label}-${at} [[tokens=1 ttft=${JOB_MS}]]`),
  );

const rows = (jobIds: readonly string[]): Promise<Backlog[]> =>
  database.read(
    (table) =>
      table("agent_logs")
        .whereIn("id", jobIds)
        .select("id", "status", "attempts", "worker", "started_at", "finished_at")
        .orderBy("started_at"),
    [],
  );

const ended = (jobIds: readonly string[]): Promise<Backlog[]> =>
  waitFor("the end of the backlog", async () => {
    const jobs = await rows(jobIds);
    return jobs.length === jobIds.length && jobs.every(({ finished_at }) => finished_at !== null) && jobs;
  });

/** From the first start to the last end in the jobs' rows, ms. */
function durationOf(jobs: readonly Backlog[]): number {
  const starts = jobs.map(({ started_at }) => Date.parse(started_at));
  const ends = jobs.map(({ finished_at }) => Date.parse(finished_at ?? ""));
  return Math.max(...ends) - Math.min(...starts);
}

/**
 * How long the workers of the platform take for a backlog, ms; each job was started once, and every worker took part.
 * Only ratios of these times are asserted on, so that the speed of the machine cancels out.
 */
async function timeBacklog(label: string): Promise<number> {
  const workers = platform.workers.length;
  await platform.model.clear();
  const jobs = await ended(await submit(label));
  expect(new Set(jobs.map(({ status, attempts }) => `${status} ${attempts}`))).toEqual(new Set(["completed 1"]));
  expect(new Set(jobs.map(({ worker }) => worker)).size).toBe(workers);
  const { total_calls, peak_open_streams } = await platform.model.stats();
  expect(total_calls).toBe(JOBS);
  // No worker took more than its share at once, and all of them were needed for the peak.
  expect(peak_open_streams).toBeLessThanOrEqual(workers * CONCURRENCY);
  expect(peak_open_streams).toBeGreaterThan((workers - 1) * CONCURRENCY);
  return durationOf(jobs);
}

test("two workers need about half the time of one worker, and four about a quarter", async () => {
  const one = await timeBacklog("one");
  await startWorkers("worker-2");
  const two = await timeBacklog("two");
  await startWorkers("worker-3", "worker-4");
  const four = await timeBacklog("four");
  expect(two / one, `${two} ms of ${one} ms`).toBeLessThan(0.75);
  expect(four / one, `${four} ms of ${one} ms`).toBeLessThan(0.45);
});

test("a worker that is added while a backlog runs takes its share of what is left", async () => {
  const [, ...others] = platform.workers;
  await Promise.all(others.map((worker) => worker.stop(STOP_WITHIN_MS)));
  const backlog = await submit("backlog");
  await startWorkers("added-worker");
  // The added worker may have needed long to start: these jobs are left for certain.
  const jobs = await ended([...backlog, ...(await submit("more", JOBS / 2))]);

  const left = jobs.slice(jobs.findIndex(({ worker }) => worker === "added-worker"));
  const share = left.filter(({ worker }) => worker === "added-worker").length / left.length;
  expect(left.length).toBeGreaterThan(CONCURRENCY);
  expect(left.length).toBeLessThan(jobs.length);
  expect(share).toBeGreaterThan(0.2);
  expect(share).toBeLessThan(0.8);
  expect(new Set(jobs.map(({ worker }) => worker))).toEqual(new Set(["worker-1", "added-worker"]));
});
