import type { Timeline, TimelineAttempt } from "@agent-paas/shared/contract/timeline.ts";
import { expect, test } from "vitest";
import { type JobTimes, viewOf } from "./job-steps.ts";

const at = (ms: number) => new Date(ms).toISOString();
const attempt = (number: number, started: number, end: Partial<TimelineAttempt> = {}): TimelineAttempt => ({
  ...{ attempt: number, worker: "w", started, ended: null, outcome: null },
  ...end,
});
const RUNNING: JobTimes = { id: "j", status: "running", accepted: at(0), finished: null };

const waits = (attempts: readonly TimelineAttempt[], times: JobTimes, more: Partial<Timeline> = {}) =>
  viewOf({ attempts: [...attempts], steps: [], truncated: false, ...more }, times).steps.map(
    ({ id, attempt, name, status, started_at, ended_at }) => ({ id, attempt, name, status, started_at, ended_at }),
  );

test("a job that no worker has begun waits in its queue", () => {
  expect(waits([], { ...RUNNING, status: "queued" })).toEqual([
    { id: "wait-1", attempt: 1, name: "queue", status: "running", started_at: at(0), ended_at: null },
  ]);
  expect(waits([], { ...RUNNING, status: "cancelled", finished: at(9) })).toMatchObject([
    { status: "interrupted", ended_at: at(9) },
  ]);
});

test("between attempts a job waits for what the outcome of the one before says", () => {
  const attempts = [
    attempt(1, 10, { ended: 20, outcome: "suspended" }),
    attempt(2, 30, { ended: 40, outcome: "retried" }),
    attempt(3, 50, { ended: 60, outcome: "requeued" }),
    attempt(4, 70, { ended: 80, outcome: "lost" }),
    attempt(5, 80, { ended: 90, outcome: "suspended" }),
  ];
  const expected = [
    { id: "wait-1", attempt: 1, name: "queue", status: "completed", started_at: at(0), ended_at: at(10) },
    { id: "wait-2", attempt: 2, name: "person", status: "completed", started_at: at(20), ended_at: at(30) },
    { id: "wait-3", attempt: 3, name: "retry", status: "completed", started_at: at(40), ended_at: at(50) },
    { id: "wait-4", attempt: 4, name: "queue", status: "completed", started_at: at(60), ended_at: at(70) },
  ];
  const open = { id: "wait-6", attempt: 6, name: "person", started_at: at(90) };
  expect(waits(attempts, { ...RUNNING, status: "waiting" })).toEqual([
    ...expected,
    { ...open, status: "running", ended_at: null },
  ]);
  expect(waits(attempts, { ...RUNNING, status: "cancelled", finished: at(99) })).toEqual([
    ...expected,
    { ...open, status: "interrupted", ended_at: at(99) },
  ]);
});

test("no wait spans an attempt that left nothing", () => {
  expect(waits([attempt(2, 10)], RUNNING, { truncated: true })).toEqual([]);
  const attempts = [attempt(1, 10, { ended: 20, outcome: "requeued" }), attempt(3, 50)];
  expect(waits(attempts, RUNNING, { truncated: true })).toMatchObject([{ id: "wait-1", ended_at: at(10) }]);
});

test("steps stand in the order of their beginnings, and one whose parent was left out has none", () => {
  const step = { attempt: 1, kind: "tool", name: "t", status: "completed", ended: 20 } as const;
  const steps = [
    { ...step, id: 7, parent: 2, started: 12 },
    { ...step, id: 8, parent: 7, started: 11, first_token: 15 },
  ];
  const view = viewOf({ attempts: [attempt(2, 10)], steps, truncated: true }, RUNNING);
  expect(view.steps.map(({ id, parent_id, first_token_at }) => [id, parent_id, first_token_at])).toEqual([
    ["8", "7", at(15)],
    ["7", null, undefined],
  ]);
  expect(view.truncated).toBe(true);
});
