/** Whether a job may start now, decided from facts alone; `apply-admission.ts` carries the decision out. */
import { MINUTE, SECOND } from "@agent-paas/shared/time.ts";
import { type CrashHistory, checkCrashLoop } from "./poison-jobs.ts";
import { recheckMs } from "./session-queue.ts";

/** How long a job waits for a worker that has its agent, and how often it is offered to the workers meanwhile. */
export const CAPABLE_WORKER_WAIT_MS = 5 * MINUTE;
const CAPABLE_WORKER_RECHECK_MS = SECOND;
/** For a worker that dies before it has moved the job from the delayed ones to its owner's queue. */
const PLACE_RECHECK_MS = 5 * SECOND;
/**
 * How often a job is left to other workers because its owner has enough here, and for how long each time. Then it
 * starts all the same: the others have no slot.
 */
const LEFT_TO_OTHERS = 20;
const LEFT_FOR_MS = SECOND / 10;

export type JobFacts = {
  readonly fencingToken: number;
  /** Whether this worker has the job's agent. */
  readonly canRun: boolean;
  /** Since the job was accepted. */
  readonly waitedMs: number;
  /** How many jobs of the session come first (I6); 0 also when that was not asked, because the job yields anyway. */
  readonly jobsAhead: number;
  /** Whether the owner may hold the place that the job holds or needs; not asked of a job that yields anyway. */
  readonly hasPlace: boolean;
  /** Whether this worker runs no more of the owner's jobs than its part for one owner. */
  readonly isWithinPart: boolean;
  /** From the second start on: whether the job is suspended, and a decision of a person is missing. */
  readonly waitsForPerson: boolean;
  readonly crashes: CrashHistory;
  /**
   * From the second start on, of a job that may be poison: whether only its end is left to write or publish, because it
   * was cancelled or its row is terminal.
   */
  readonly isEnding: boolean;
};

export type Admission =
  | { readonly kind: "start" }
  | { readonly kind: "delay"; readonly why: "no_capable_worker"; readonly ms: number }
  | { readonly kind: "delay"; readonly why: "session_busy"; readonly ms: number; readonly jobsAhead: number }
  | { readonly kind: "delay"; readonly why: "no_place"; readonly ms: number }
  | { readonly kind: "delay"; readonly why: "waits_for_person"; readonly ms: number }
  | { readonly kind: "delay"; readonly why: "owner_part"; readonly ms: number }
  | { readonly kind: "delay"; readonly why: "poison_job"; readonly ms: number; readonly unfinishedAttempts: number }
  | { readonly kind: "delay"; readonly why: "blocked_worker"; readonly ms: number }
  | { readonly kind: "requeue"; readonly why: "no_capable_worker" }
  | { readonly kind: "finalize"; readonly code: "worker_lost" | "agent_failed" };

/** @param random spreads isolated starts; from 0 to 1. */
export function admit(facts: JobFacts, random: () => number = Math.random): Admission {
  const { fencingToken, canRun, waitedMs, jobsAhead, hasPlace, isWithinPart, crashes, isEnding } = facts;
  // A worker may lack an agent that another one offers, during a rollout above all. A requeued job goes to the worker
  // that has waited longest; every second time it is delayed, so that it does not circle. After a while no worker seems
  // to have the agent, and the job may start and fail.
  if (!canRun && waitedMs <= CAPABLE_WORKER_WAIT_MS) {
    if (fencingToken % 2 === 1) return { kind: "requeue", why: "no_capable_worker" };
    return { kind: "delay", why: "no_capable_worker", ms: CAPABLE_WORKER_RECHECK_MS };
  }
  if (jobsAhead > 0) return { kind: "delay", why: "session_busy", ms: recheckMs(jobsAhead), jobsAhead };
  if (isEnding) return { kind: "start" };
  if (facts.waitsForPerson) return { kind: "delay", why: "waits_for_person", ms: PLACE_RECHECK_MS };
  if (!hasPlace) return { kind: "delay", why: "no_place", ms: PLACE_RECHECK_MS };
  if (!isWithinPart && fencingToken <= LEFT_TO_OTHERS) return { kind: "delay", why: "owner_part", ms: LEFT_FOR_MS };
  const check = checkCrashLoop(crashes);
  switch (check.kind) {
    case "pass":
      return { kind: "start" };
    case "await_name":
      return { kind: "delay", why: "blocked_worker", ms: check.ms };
    case "give_up":
      return { kind: "finalize", code: check.code };
    case "isolate": {
      const ms = Math.round(random() * check.withinMs);
      return { kind: "delay", why: "poison_job", ms, unfinishedAttempts: check.unfinishedAttempts };
    }
  }
}
