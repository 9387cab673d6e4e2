/**
 * Samples: what each worker has counted in one interval, from which the API makes the metrics of the whole platform.
 * Redis keeps those of the last ten minutes.
 */
import { z } from "zod";
import { MINUTE, SECOND } from "../time.ts";

export const SAMPLE_INTERVAL_MS = 5 * SECOND;
export const KEEP_SAMPLES_MS = 10 * MINUTE;

/** Eight buckets for each doubling: a duration is known to 5 %. */
const BUCKETS_PER_DOUBLING = 8;

export const bucketOf = (ms: number): number => Math.round(BUCKETS_PER_DOUBLING * Math.log2(Math.max(1, ms)));
export const msOfBucket = (bucket: number): number => Math.round(2 ** (bucket / BUCKETS_PER_DOUBLING));

export const SampleSchema = z.object({
  /** The interval: intervals since 1970, by the clock of Redis. */
  interval: z.int(),
  id: z.string(),
  worker: z.string(),
  /** Of models, as they came; those that no stream shows are not counted. */
  tokens: z.number(),
  /** Bucket and count in turn: how long jobs took from their acceptance to their first token. */
  first_tokens: z.array(z.number()),
  started: z.number(),
  ended: z.number(),
  failed: z.number(),
  /** At the end of the interval. */
  running: z.number(),
  concurrency: z.number(),
  /** Processors that the process used: 1 is one core. */
  cpu: z.number(),
  memory_mb: z.number(),
});
export type Sample = z.infer<typeof SampleSchema>;
