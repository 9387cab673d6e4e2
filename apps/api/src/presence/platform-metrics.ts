/** The metrics of the whole platform over the last ten minutes, from the samples that its workers keep in Redis. */
import {
  KEEP_SAMPLES_MS,
  msOfBucket,
  SAMPLE_INTERVAL_MS,
  type Sample,
  SampleSchema,
} from "@agent-paas/shared/contract/samples.ts";
import type { InstallationClock } from "@agent-paas/shared/redis/clock.ts";
import type { RedisConnection } from "@agent-paas/shared/redis/connect.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import { orUnavailable } from "../queue/or-unavailable.ts";

export type MetricsPoint = {
  /** The beginning of its interval, ISO 8601. */
  readonly at: string;
  readonly tokens_per_s: number;
  readonly first_token_ms: { readonly p50: number; readonly p95: number } | null;
  readonly jobs_started: number;
  readonly jobs_ended: number;
  readonly jobs_failed: number;
  readonly running: number;
  readonly queued: number;
};

export type WorkerMetrics = {
  readonly id: string;
  readonly name: string;
  readonly running: number;
  readonly concurrency: number;
  readonly cpu: number;
  readonly memory_mb: number;
  readonly last_seen: string;
};

export type Metrics = {
  readonly interval_s: number;
  readonly points: readonly MetricsPoint[];
  readonly workers: readonly WorkerMetrics[];
};

/** How long one reading answers all who ask, ms. */
const VALID_FOR_MS = SECOND;

/** So many intervals without a sample, and a worker is gone. */
const GONE_AFTER_INTERVALS = 3;

export type PlatformMetrics = ReturnType<typeof createPlatformMetrics>;

export function createPlatformMetrics(redis: RedisConnection, keys: RedisKeys, clock: Pick<InstallationClock, "now">) {
  let latest: { readonly metrics: Promise<Metrics>; readonly at: number } | null = null;

  async function read(): Promise<Metrics> {
    const current = Math.floor(clock.now() / SAMPLE_INTERVAL_MS);
    const texts = await redis.zrangebyscore(keys.samples, current - KEEP_SAMPLES_MS / SAMPLE_INTERVAL_MS, "+inf");
    return metricsOf(texts, current);
  }

  return {
    /** Throws `queue_unavailable`. */
    read(): Promise<Metrics> {
      const now = performance.now();
      if (latest === null || now - latest.at >= VALID_FOR_MS) {
        const metrics = orUnavailable(redis, read);
        latest = { metrics, at: now };
        metrics.catch(() => {
          if (latest?.metrics === metrics) latest = null;
        });
      }
      return latest.metrics;
    },
  };
}

type QueuedSample = Sample & { readonly queued: number };

/**
 * @param texts members of the samples' set, by interval: the number of jobs that waited, a space, the sample's JSON.
 * @param current the number of the present interval.
 */
export function metricsOf(texts: readonly string[], current: number): Metrics {
  const byInterval = Map.groupBy(texts.flatMap(parseSample), ({ interval }) => interval);
  const latest = latestOf([...byInterval.values()].flat());
  const workers = [...latest.values()].filter(({ interval }) => interval >= current - GONE_AFTER_INTERVALS);
  return {
    interval_s: SAMPLE_INTERVAL_MS / SECOND,
    points: [...byInterval].map(([interval, samples]) => pointOf(interval, samples)),
    workers: workers.map(({ interval, id, worker: name, running, concurrency, cpu, memory_mb }) => ({
      ...{ id, name, running, concurrency, cpu, memory_mb, last_seen: startOf(interval + 1) },
    })),
  };
}

/** Of each worker. */
const latestOf = (samples: readonly QueuedSample[]) => new Map(samples.map((sample) => [sample.id, sample]));

const startOf = (interval: number): string => new Date(interval * SAMPLE_INTERVAL_MS).toISOString();

/** None for what a worker of another version wrote and this API cannot read. */
function parseSample(text: string): QueuedSample[] {
  const separator = text.indexOf(" ");
  try {
    const sample = SampleSchema.safeParse(JSON.parse(text.slice(separator + 1))).data;
    return sample === undefined ? [] : [{ ...sample, queued: Number(text.slice(0, separator)) }];
  } catch {
    return [];
  }
}

function pointOf(interval: number, samples: readonly QueuedSample[]): MetricsPoint {
  const sum = (field: "tokens" | "started" | "ended" | "failed") =>
    samples.reduce((all, { [field]: count }) => all + count, 0);
  return {
    at: startOf(interval),
    tokens_per_s: Math.round((sum("tokens") * 10 * SECOND) / SAMPLE_INTERVAL_MS) / 10,
    first_token_ms: quantilesOf(samples.map(({ first_tokens }) => first_tokens)),
    ...{ jobs_started: sum("started"), jobs_ended: sum("ended"), jobs_failed: sum("failed") },
    // A worker may have written twice.
    running: [...latestOf(samples).values()].reduce((all, { running }) => all + running, 0),
    // Each has counted all queues, at moments that are close to each other.
    queued: Math.max(...samples.map(({ queued }) => queued)),
  };
}

/** Of histograms: bucket and count in turn. */
function quantilesOf(histograms: readonly (readonly number[])[]): MetricsPoint["first_token_ms"] {
  const counts = new Map<number, number>();
  for (const histogram of histograms) {
    for (let at = 0; at + 1 < histogram.length; at += 2) {
      const bucket = histogram[at] ?? 0;
      counts.set(bucket, (counts.get(bucket) ?? 0) + (histogram[at + 1] ?? 0));
    }
  }
  const buckets = [...counts].sort(([a], [b]) => a - b);
  const all = buckets.reduce((sum, [, count]) => sum + count, 0);
  if (all === 0) return null;
  const quantile = (part: number): number => {
    let below = 0;
    for (const [bucket, count] of buckets) {
      below += count;
      if (below >= part * all) return msOfBucket(bucket);
    }
    return msOfBucket(buckets.at(-1)?.[0] ?? 0);
  };
  return { p50: quantile(0.5), p95: quantile(0.95) };
}
