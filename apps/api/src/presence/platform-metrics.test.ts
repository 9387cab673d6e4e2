import { bucketOf, SAMPLE_INTERVAL_MS, type Sample } from "@agent-paas/shared/contract/samples.ts";
import { expect, test } from "vitest";
import { metricsOf } from "./platform-metrics.ts";

const IDLE: Omit<Sample, "interval" | "id"> = {
  ...{ worker: "w", tokens: 0, first_tokens: [], started: 0, ended: 0, failed: 0, running: 0, concurrency: 10 },
  ...{ cpu: 0.5, memory_mb: 100 },
};
const sample = (interval: number, id: string, fields: Partial<Sample> = {}, queued = 0) =>
  `${queued} ${JSON.stringify({ ...IDLE, interval, id, ...fields })}`;
const startOf = (interval: number) => new Date(interval * SAMPLE_INTERVAL_MS).toISOString();

test("a point sums the samples of all workers, and what waits is what any of them has counted", () => {
  const { interval_s, points } = metricsOf(
    [
      sample(7, "a", { tokens: 101, started: 3, ended: 2, failed: 1, running: 4 }, 6),
      sample(7, "b", { tokens: 100, started: 1, ended: 1, running: 2 }, 5),
      sample(9, "a"),
    ],
    10,
  );
  expect(interval_s).toBe(5);
  expect(points).toEqual([
    {
      ...{ at: startOf(7), tokens_per_s: 40.2, first_token_ms: null, running: 6, queued: 6 },
      ...{ jobs_started: 4, jobs_ended: 3, jobs_failed: 1 },
    },
    {
      ...{ at: startOf(9), tokens_per_s: 0, first_token_ms: null, running: 0, queued: 0 },
      ...{ jobs_started: 0, jobs_ended: 0, jobs_failed: 0 },
    },
  ]);
});

test("of a worker that has written two samples of one interval the jobs that run count once", () => {
  const texts = [
    sample(7, "a", { started: 2, running: 3 }),
    sample(7, "a", { started: 1, running: 3 }),
    sample(7, "b"),
  ];
  expect(metricsOf(texts, 8).points).toMatchObject([{ running: 3, jobs_started: 3 }]);
});

test("the quantiles of first tokens are those of all workers together, to five per cent", () => {
  const waits = Array.from({ length: 100 }, (_, at) => 10 * (at + 1));
  const halves = [waits.filter((_, at) => at % 2 === 0), waits.filter((_, at) => at % 2 === 1)];
  const texts = halves.map((half, at) => sample(7, `${at}`, { first_tokens: half.flatMap((ms) => [bucketOf(ms), 1]) }));
  const { p50 = 0, p95 = 0 } = metricsOf(texts, 8).points[0]?.first_token_ms ?? {};
  expect(Math.abs(p50 / 500 - 1)).toBeLessThan(0.05);
  expect(Math.abs(p95 / 950 - 1)).toBeLessThan(0.05);
  expect(metricsOf([sample(7, "a", { first_tokens: [bucketOf(0), 1] })], 8).points[0]?.first_token_ms?.p95).toBe(1);
});

test("the workers are those heard of within three intervals, by their last samples", () => {
  const { workers } = metricsOf(
    [sample(4, "gone"), sample(7, "a", { running: 1 }), sample(9, "a", { running: 2 })],
    10,
  );
  expect(workers).toEqual([
    {
      ...{ id: "a", name: "w", running: 2, concurrency: 10, cpu: 0.5, memory_mb: 100 },
      last_seen: startOf(10),
    },
  ]);
});

test("what another version wrote and this one cannot read is left out", () => {
  const { points } = metricsOf(["0 {", "1 []", "nothing", '0 {"interval":7,"id":"a"}', sample(8, "a")], 9);
  expect(points.map(({ at }) => at)).toEqual([startOf(8)]);
});
