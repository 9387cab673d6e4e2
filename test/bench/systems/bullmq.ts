/**
 * Starts the baseline of bare BullMQ: workers with an empty processor, and a producer with or without an HTTP server.
 */
import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { freePort } from "../../../scripts/services/ports.ts";
import type { ServerProcess } from "../measure/usage.ts";
import { build, createStack, type StackOptions } from "./system.ts";

export type BullmqOptions = StackOptions & {
  readonly workers: number;
  readonly concurrency: number;
  /** Number of jobs that one `add` adds. */
  readonly jobs: number;
  /** Number of jobs that the producer adds concurrently. */
  readonly clients: number;
};

export type Bullmq = {
  readonly processes: readonly ServerProcess[];
  /** Port of the HTTP server. */
  readonly port: number;
  /** Signals the producer without HTTP to add its jobs. */
  add(): void;
  /** Number of jobs that have ended since the start. */
  ended(): Promise<number>;
  stop(): Promise<void>;
};

export async function startBullmq(
  producer: "api" | "producer",
  { workers, concurrency, jobs, clients, ...options }: BullmqOptions,
): Promise<Bullmq> {
  const stack = createStack(options);
  return build(stack, async () => {
    const port = await freePort();
    const redisUrl = await stack.redis();
    const env = {
      REDIS_URL: redisUrl,
      PORT: String(port),
      CONCURRENCY: String(concurrency),
      JOBS: String(jobs),
      CLIENTS: String(clients),
    };
    const [adding] = await Promise.all([
      stack.node("api", { name: `bullmq-${producer}`, main: `test/bench/baselines/bullmq-${producer}.ts`, env }),
      ...Array.from({ length: workers }, (_, at) =>
        stack.node("worker", { name: `bullmq-worker-${at + 1}`, main: "test/bench/baselines/bullmq-worker.ts", env }),
      ),
    ]);
    const redis = new Redis(redisUrl);
    const queue = new Queue("bare", { connection: redis });
    return {
      processes: stack.processes,
      port,
      add: () => adding.signal("SIGUSR2"),
      async ended() {
        // Ended jobs are removed from the queue, so their number is all jobs ever added minus those still present.
        const counts = await queue.getJobCounts("wait", "active", "delayed", "prioritized");
        const added = Number(await redis.get(queue.toKey("id")));
        return added - Object.values(counts).reduce((sum, count) => sum + count, 0);
      },
      async stop() {
        await queue.close();
        redis.disconnect();
        await stack.stop();
      },
    };
  });
}
