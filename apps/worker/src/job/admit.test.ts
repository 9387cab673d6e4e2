import { MINUTE, SECOND } from "@agent-paas/shared/time.ts";
import { expect, test } from "vitest";
import { type Admission, admit, type JobFacts } from "./admit.ts";
import type { CrashHistory } from "./poison-jobs.ts";

const FIRST_START: JobFacts = {
  fencingToken: 1,
  canRun: true,
  waitedMs: 0,
  jobsAhead: 0,
  hasPlace: true,
  isWithinPart: true,
  waitsForPerson: false,
  crashes: { unfinishedAttempts: 0, isolatedAfter: 0, hasBlockedWorker: false, mayBlockWorker: false },
  isEnding: false,
};
const START: Admission = { kind: "start" };
const GIVEN_UP: Admission = { kind: "finalize", code: "worker_lost" };
const HALF = () => 0.5;

const crashed = (unfinishedAttempts: number, isolatedAfter = 0, block: Partial<CrashHistory> = {}) => ({
  fencingToken: unfinishedAttempts + 1,
  crashes: { ...FIRST_START.crashes, unfinishedAttempts, isolatedAfter, ...block },
});
const BLOCKER = { hasBlockedWorker: true };
const UNNAMED = { mayBlockWorker: true };
const isolated = (ms: number, unfinishedAttempts: number): Admission => ({
  kind: "delay",
  why: "poison_job",
  ms,
  unfinishedAttempts,
});

test.each<[string, Partial<JobFacts>, Admission]>([
  ["a first start", {}, START],
  ["an agent that this worker lacks, first offer", { canRun: false }, { kind: "requeue", why: "no_capable_worker" }],
  [
    "an agent that this worker lacks, second offer",
    { canRun: false, fencingToken: 2 },
    { kind: "delay", why: "no_capable_worker", ms: SECOND },
  ],
  [
    "an agent that this worker lacks, busy session",
    { canRun: false, jobsAhead: 3 },
    { kind: "requeue", why: "no_capable_worker" },
  ],
  ["an agent that no worker has had for five minutes", { canRun: false, waitedMs: 5 * MINUTE + 1 }, START],
  ["a busy session", { jobsAhead: 2 }, { kind: "delay", why: "session_busy", ms: 10 * SECOND, jobsAhead: 2 }],
  [
    "a busy session, job being cancelled",
    { jobsAhead: 2, isEnding: true },
    { kind: "delay", why: "session_busy", ms: 10 * SECOND, jobsAhead: 2 },
  ],
  [
    "more of the owner's jobs than this worker's part",
    { isWithinPart: false },
    { kind: "delay", why: "owner_part", ms: 100 },
  ],
  ["more of the owner's jobs, left to others often enough", { isWithinPart: false, fencingToken: 21 }, START],
  ["more of the owner's jobs, only its end left", { isWithinPart: false, isEnding: true }, START],
  [
    "a job that waits for a person",
    { fencingToken: 2, waitsForPerson: true, hasPlace: false },
    { kind: "delay", why: "waits_for_person", ms: 5 * SECOND },
  ],
  ["a job that waits for a person, being cancelled", { fencingToken: 2, waitsForPerson: true, isEnding: true }, START],
  ["two unfinished attempts", crashed(2), START],
  ["three unfinished attempts", crashed(3), isolated(10 * SECOND, 3)],
  ["three unfinished attempts, isolated already", crashed(3, 3), START],
  ["four unfinished attempts, isolated after three", crashed(4, 3), isolated(30 * SECOND, 4)],
  ["four unfinished attempts, isolated already", crashed(4, 4), START],
  ["five unfinished attempts", crashed(5, 4), GIVEN_UP],
  ["more than five unfinished attempts", crashed(9), GIVEN_UP],
  ["one run that blocked its worker", crashed(1, 0, BLOCKER), { kind: "finalize", code: "agent_failed" }],
  ["a closed run that blocked its worker", crashed(0, 0, BLOCKER), { kind: "finalize", code: "agent_failed" }],
  ["a job that blocked its worker and only has to end", { ...crashed(1, 0, BLOCKER), isEnding: true }, START],
  [
    "an interrupted job while a worker is blocked by one without a name yet",
    crashed(1, 0, UNNAMED),
    { kind: "delay", why: "blocked_worker", ms: SECOND },
  ],
  ["a retried job while a worker is blocked by one without a name yet", crashed(0, 0, UNNAMED), START],
  ["five unfinished attempts of a job that only has to end", { ...crashed(5), isEnding: true }, START],
])("%s", (_, facts, expected) => {
  expect(admit({ ...FIRST_START, ...facts }, HALF)).toEqual(expected);
});
