import { bucketOf } from "@agent-paas/shared/contract/samples.ts";
import { emit } from "@agent-paas/shared/telemetry/telemetry.ts";
import { expect, onTestFinished, test } from "vitest";
import { createWorkerCounters } from "./worker-counters.ts";

const ACCEPTED = "2026-11-30T00:00:00.000Z";
const JOB = { job_id: "j", kind: "chat", agent_type: "a", owner: "alice", traceparent: undefined } as const;

function counters(waitedMs = 0) {
  const counting = createWorkerCounters(() => Date.parse(ACCEPTED) + waitedMs);
  onTestFinished(counting.stop);
  return counting;
}

test("tokens of all jobs are counted until they are taken, and each job has one first token", () => {
  const { tokensOf, take } = counters(700);
  const [one, other, retried] = [1, 1, 2].map((attempt) => tokensOf({ acceptedAt: ACCEPTED, attempt }));
  for (const count of [1, 1, 5]) one?.(count);
  other?.(1);
  retried?.(2);
  expect(take()).toEqual({ tokens: 10, first_tokens: [bucketOf(700), 2], started: 0, ended: 0, failed: 0 });
  one?.(1);
  expect(take()).toMatchObject({ tokens: 1, first_tokens: [] });
});

test("a job is started once, and ends as often as its end is told", () => {
  const { take, stop } = counters();
  const start = (attempt: number) => emit("job.started", { ...JOB, attempt, queue_ms: 1 });
  const end = (status: "completed" | "failed") => emit("job.ended", { ...JOB, status, error_code: null, ms: 1 });
  start(1);
  start(2);
  end("completed");
  end("failed");
  expect(take()).toMatchObject({ started: 1, ended: 2, failed: 1 });
  stop();
  end("failed");
  expect(take()).toMatchObject({ started: 0, ended: 0, failed: 0 });
});
