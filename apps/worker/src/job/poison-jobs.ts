/**
 * Poison jobs (I1, I9): jobs whose workers crash again and again. One of them may be what crashes the workers; the
 * others merely run beside it and start again when it does. So such a job gets isolated starts, each after a random
 * delay, and only a job that loses its worker even then is given up. Attempts whose workers live are not counted:
 * outages, pauses and retries make no poison job.
 *
 * A job that blocks its worker's thread until the locks are lost is known by name (`control/thread-watch.ts`), so it is
 * given up after that one run. A second one would cost those that ran beside it, and those beside its next worker,
 * another restart.
 */
import { SECOND } from "@agent-paas/shared/time.ts";

/** From so many unfinished attempts on, a job gets isolated starts. */
const ISOLATE_FROM = 3;
/** After so many unfinished attempts the job is given up. */
const GIVE_UP_FROM = 5;
/**
 * Upper bound of the first delay; the next is three times that. A job that crashes its worker at the start is alone by
 * then; one that crashes late overlaps its neighbours at most once more.
 */
const FIRST_DELAY_WITHIN_MS = 20 * SECOND;
/** How often an interrupted job is offered again while it is not known which one blocks a worker. */
const RECHECK_BLOCK_MS = SECOND;

export type CrashHistory = {
  /** Attempts that never reported how they ended: their workers died, or Redis has lost the report. */
  readonly unfinishedAttempts: number;
  /** The number of unfinished attempts at the last isolated start; 0 for none. */
  readonly isolatedAfter: number;
  /** A run of the job kept its worker's thread busy until its lock was lost. */
  readonly hasBlockedWorker: boolean;
  /** A worker is blocked by a run that is not known yet: it may have been one of this job. */
  readonly mayBlockWorker: boolean;
};

export type CrashLoopCheck =
  | { readonly kind: "pass" }
  | { readonly kind: "isolate"; readonly unfinishedAttempts: number; readonly withinMs: number }
  | { readonly kind: "await_name"; readonly ms: number }
  | { readonly kind: "give_up"; readonly code: "worker_lost" | "agent_failed" };

/** Whether the history says more than that a worker died now and then. */
export const mayBePoison = ({ unfinishedAttempts, hasBlockedWorker }: CrashHistory): boolean =>
  hasBlockedWorker || unfinishedAttempts >= ISOLATE_FROM;

export function checkCrashLoop(history: CrashHistory): CrashLoopCheck {
  const { unfinishedAttempts, isolatedAfter, hasBlockedWorker, mayBlockWorker } = history;
  if (hasBlockedWorker) return { kind: "give_up", code: "agent_failed" };
  if (mayBlockWorker && unfinishedAttempts > 0) return { kind: "await_name", ms: RECHECK_BLOCK_MS };
  if (!mayBePoison(history)) return { kind: "pass" };
  if (unfinishedAttempts >= GIVE_UP_FROM) return { kind: "give_up", code: "worker_lost" };
  if (isolatedAfter === unfinishedAttempts) return { kind: "pass" };
  const withinMs = FIRST_DELAY_WITHIN_MS * 3 ** (unfinishedAttempts - ISOLATE_FROM);
  return { kind: "isolate", unfinishedAttempts, withinMs };
}
