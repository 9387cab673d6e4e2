/**
 * Execute jobs without work, from the POST to the committed row, beside bare BullMQ with an empty processor: `bullmq`
 * adds its jobs in a producer process without HTTP (the target refers to it), `bullmq-http` over POSTs to a bare HTTP
 * server.
 */
import { setTimeout as delay } from "node:timers/promises";
import { openReadStorage } from "@agent-paas/shared/db/open-storage.ts";
import { MINUTE, SECOND } from "@agent-paas/shared/time.ts";
import type { DatabaseKind } from "../../support/database-kind.ts";
import { waitFor } from "../../support/wait-for.ts";
import { type ServerProcess, sumOf, withUsage } from "../measure/usage.ts";
import { startBullmq } from "../systems/bullmq.ts";
import { startOurs } from "../systems/ours.ts";
import type { BenchContext, Figures, Scenario } from "./scenario.ts";

/** Concurrent POSTs or calls of `add`. */
const CLIENTS = 50;
/** Concurrent jobs in each worker. */
const CONCURRENCY = 50;
const LOOK_EVERY_MS = 100;
const JOBS = { full: 8_000, quick: 2_000 };

export const JOB_SCENARIOS: readonly Scenario[] = [1, 2].map((workers) => ({
  name: `jobs-${workers}`,
  about:
    `execute jobs without a model call, ${workers} worker${workers > 1 ? "s" : ""}, ` +
    `${CONCURRENCY} at a time in each`,
  systems: ["bullmq", "bullmq-http", "ours", "ours-pg"],
  inQuick: true,
  async measure(system, context) {
    const jobs = context.quick ? JOBS.quick : JOBS.full;
    const queue = await (system.startsWith("ours")
      ? ourQueue(system === "ours" ? "sqlite" : "postgres", workers, context)
      : bullmqQueue(system, workers, jobs, context));
    try {
      // Both passes are equal; the first is the warm-up.
      await addAll(queue, jobs, jobs);
      return await addAll(queue, jobs, 2 * jobs);
    } finally {
      await queue.stop();
    }
  },
}));

type JobQueue = {
  readonly processes: readonly ServerProcess[];
  /** Adds jobs; resolves to the number refused, possibly before all jobs are in the queue. */
  add(jobs: number): Promise<number>;
  /** Number of jobs that have ended since the start. */
  ended(): Promise<number>;
  stop(): Promise<void>;
};

async function addAll(queue: JobQueue, jobs: number, endedThen: number): Promise<Figures> {
  const { result, cpuUs, peakMiB } = await withUsage(queue.processes, async () => {
    const startedAt = performance.now();
    // Ended jobs are counted only after all are added: counting rows takes a noticeable part of a core.
    const refused = await queue.add(jobs);
    if (refused > 0) throw new Error(`${refused} of ${jobs} jobs were refused`);
    await waitFor("all jobs to end", async () => (await queue.ended()) >= endedThen, 3 * MINUTE);
    return { wallMs: performance.now() - startedAt };
  });
  return {
    jobsPerSecond: (jobs / result.wallMs) * SECOND,
    cpuUsPerJob: sumOf(cpuUs) / jobs,
    apiUsPerJob: cpuUs.api / jobs,
    workerUsPerJob: cpuUs.worker / jobs,
    redisUsPerJob: cpuUs.redis / jobs,
    ...(cpuUs.database > 0 && { databaseUsPerJob: cpuUs.database / jobs }),
    peakMiB,
  };
}

const postLoad = (port: number, path: string, body: object, jobs: number) => ({
  ...{ port, path, body, status: 202 },
  clients: CLIENTS,
  requestsPerClient: jobs / CLIENTS,
});

async function ourQueue(database: DatabaseKind, workers: number, context: BenchContext): Promise<JobQueue> {
  // One owner adds jobs faster than the workers run them; its share of the queue is no part of the measurement.
  const env = { WORKER_EXECUTE_CONCURRENCY: String(CONCURRENCY), MAX_QUEUED_JOBS: String(4 * JOBS.full) };
  const ours = await startOurs({ ...context, modelOrigin: context.model.origin, workers, database, env });
  const reader = openReadStorage(ours.databaseUrl);
  return {
    processes: ours.processes,
    async add(jobs) {
      const posts = postLoad(ours.target.port, "/api/v1/agents/noop/execute", { task: "noop" }, jobs);
      return (await context.load.posts(posts)).failures;
    },
    async ended() {
      // A server counts in a process that is measured.
      if (database === "postgres") await delay(LOOK_EVERY_MS);
      // Counts committed rows.
      const row = await reader.read(
        (table) => table("agent_logs").where({ status: "completed" }).count({ count: "*" }).first(),
        undefined,
      );
      return Number(row?.count ?? 0);
    },
    async stop() {
      await reader.close();
      await ours.stop();
    },
  };
}

async function bullmqQueue(system: string, workers: number, jobs: number, { load }: BenchContext): Promise<JobQueue> {
  const options = { workers, concurrency: CONCURRENCY, jobs, clients: CLIENTS };
  const bullmq = await startBullmq(system === "bullmq" ? "producer" : "api", options);
  return {
    ...bullmq,
    async add() {
      if (system !== "bullmq") return (await load.posts(postLoad(bullmq.port, "/", { task: "noop" }, jobs))).failures;
      bullmq.add();
      return 0;
    },
  };
}
