/** GET /metrics: numbers of the whole platform over the last ten minutes, without anybody's names or texts. */
import { z } from "zod";
import type { Route } from "../../../http/door.ts";
import { jsonResponse } from "../../../http/operation.ts";
import type { Services } from "../../../services.ts";
import { TIME } from "../examples.ts";

const count = (text: string) => z.int().describe(text);

const PointSchema = z.object({
  at: z.iso.datetime().describe("The beginning of the interval."),
  tokens_per_s: z.number().describe("Of all models, as they came; by an estimate."),
  first_token_ms: z
    .object({ p50: z.number(), p95: z.number() })
    .nullable()
    .describe("From the acceptance of a job to its first token, ms, to 5 %. Null if no job had one."),
  jobs_started: count("Jobs whose first attempt a worker began."),
  jobs_ended: count("Jobs that ended, the failed ones included."),
  jobs_failed: count("Jobs that failed."),
  running: count("Jobs that ran at the end of the interval."),
  queued: count("Jobs that waited for a worker then."),
});

const WorkerSchema = z.object({
  id: z.string().describe("Another one after each start."),
  name: z.string().describe("As the attempts of jobs name it."),
  running: count("Jobs that it runs."),
  concurrency: count("How many it may run at once."),
  cpu: z.number().describe("Processors that it used in its last interval: 1 is one core."),
  memory_mb: z.number().describe("Resident, MiB."),
  last_seen: z.iso.datetime(),
});

const POINT = { tokens_per_s: 412.4, first_token_ms: { p50: 331, p95: 861 }, jobs_started: 9, jobs_ended: 8 };
const WORKER = { id: "worker-1:0198", name: "worker-1", running: 4, concurrency: 250, cpu: 0.31, memory_mb: 148 };
const EXAMPLE = {
  interval_s: 5,
  points: [{ at: TIME, ...POINT, jobs_failed: 0, running: 4, queued: 0 }],
  workers: [{ ...WORKER, last_seen: TIME }],
};

const MetricsSchema = z
  .object({
    interval_s: z.number().describe("How long an interval is, s."),
    points: z.array(PointSchema).readonly().describe("Oldest first; none of an interval in which no worker lived."),
    workers: z.array(WorkerSchema).readonly().describe("Those of the last 15 s."),
  })
  .meta({
    id: "Metrics",
    description: "Numbers of the whole platform over the last ten minutes.",
    examples: [EXAMPLE],
  });

export const getMetrics = (services: Services): Route => ({
  method: "get",
  path: "/metrics",
  access: "key",
  operation: {
    id: "getMetrics",
    tag: "Health",
    summary: "How the whole platform does, over the last ten minutes",
    responses: { 200: jsonResponse("At most a second old.", MetricsSchema) },
    errors: ["queue_unavailable"],
  },
  async handle(_req, res) {
    res.json(await services.metrics.read());
  },
});
