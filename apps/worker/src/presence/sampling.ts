/** Writes this worker's sample of each interval into Redis, where those of all workers end at the same moments. */
import { JOB_QUEUES } from "@agent-paas/shared/contract/jobs.ts";
import { KEEP_SAMPLES_MS, SAMPLE_INTERVAL_MS, type Sample } from "@agent-paas/shared/contract/samples.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import { logRepeatedly } from "@agent-paas/shared/logging/repeated-warnings.ts";
import type { InstallationClock } from "@agent-paas/shared/redis/clock.ts";
import type { RedisConnection } from "@agent-paas/shared/redis/connect.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { defineVariadicScript } from "@agent-paas/shared/redis/script.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import type { WorkerCounts } from "../run/worker-counters.ts";

/**
 * KEYS: the samples, then of each queue its list of waiting jobs and its owners' queues. ARGV: the interval, its
 * sample, the oldest interval that stays, the expiry, s. Adds the sample behind the number of jobs that wait.
 */
const NOTE_SAMPLE_SCRIPT = defineVariadicScript<null>()(
  "noteSample",
  `
local samples, queued = KEYS[1], 0
for i = 2, #KEYS, 2 do queued = queued + redis.call('LLEN', KEYS[i]) + redis.call('ZCARD', KEYS[i + 1]) end
redis.call('ZADD', samples, ARGV[1], queued .. ' ' .. ARGV[2])
redis.call('ZREMRANGEBYSCORE', samples, '-inf', '(' .. ARGV[3])
redis.call('EXPIRE', samples, ARGV[4])
return false
`,
);

export type SamplingOptions = {
  readonly redis: RedisConnection;
  readonly keys: RedisKeys;
  readonly clock: Pick<InstallationClock, "now">;
  readonly identity: Pick<Sample, "id" | "worker">;
  /** Jobs that the worker may run at once. */
  readonly concurrency: number;
  readonly running: () => number;
  readonly counts: () => WorkerCounts;
  readonly logger: Logger;
};

/** The interval that has just ended, also if the timer was a little early, and when the one behind it will have. */
export function sampleAt(now: number): { readonly interval: number; readonly nextInMs: number } {
  const interval = Math.round(now / SAMPLE_INTERVAL_MS) - 1;
  return { interval, nextInMs: (interval + 2) * SAMPLE_INTERVAL_MS - now };
}

export type Sampling = { stop(): void };

export function startSampling(options: SamplingOptions): Sampling {
  const { redis, keys, clock, identity, concurrency, running, counts, logger } = options;
  const note = NOTE_SAMPLE_SCRIPT.on(redis);
  const touched = [keys.samples, ...JOB_QUEUES.flatMap((name) => [keys.waitingJobs(name), keys.ownerQueues(name)])];
  let cpu = process.cpuUsage();
  let at = performance.now();

  function takeSample(interval: number): Sample {
    const now = performance.now();
    const used = process.cpuUsage(cpu);
    const cores = (used.user + used.system) / 1_000 / Math.max(1, now - at);
    cpu = process.cpuUsage();
    at = now;
    return {
      ...{ interval, ...identity, ...counts(), running: running(), concurrency },
      cpu: Math.round(cores * 100) / 100,
      memory_mb: Math.round(process.memoryUsage.rss() / 2 ** 20),
    };
  }

  function write(): void {
    const { interval, nextInMs } = sampleAt(clock.now());
    timer = setTimeout(write, nextInMs);
    const sample = JSON.stringify(takeSample(interval));
    // What Redis does not take now is history when it is back.
    if (redis.status !== "ready") return;
    const oldest = interval - KEEP_SAMPLES_MS / SAMPLE_INTERVAL_MS;
    note(touched.length, ...touched, interval, sample, oldest, KEEP_SAMPLES_MS / SECOND).catch((err) =>
      logRepeatedly(logger, "warn", { err }, "a sample was not written"),
    );
  }

  let timer = setTimeout(write, SAMPLE_INTERVAL_MS - (clock.now() % SAMPLE_INTERVAL_MS));
  return { stop: () => clearTimeout(timer) };
}
