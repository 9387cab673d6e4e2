/** The time limits of a run: the platform's deadline counts per attempt, the budget's from the job's first start. */
import { budgetExhausted } from "@agent-paas/agents/job/budget.ts";
import type { JobPayload } from "@agent-paas/shared/contract/jobs.ts";
import type { RunControl } from "../run/run-control.ts";

export type DeadlineFacts = {
  readonly payload: Pick<JobPayload, "limits">;
  /** By the installation's clock, as `now`. */
  readonly firstStartedAt: number;
  readonly run: RunControl;
};

/**
 * How long a provider may have the next attempt wait, ms: until the job's own deadline, or else as long as an attempt
 * may take.
 */
export function retryWithinMs(
  attemptMs: number,
  { payload, firstStartedAt }: DeadlineFacts,
  now: () => number,
): number {
  const { deadline_ms: budgetMs } = payload.limits;
  return budgetMs === undefined ? attemptMs : firstStartedAt + budgetMs - now();
}

/** @param now the installation's clock: an earlier attempt may have run on another machine. */
export function startDeadlines(
  attemptMs: number,
  { payload, firstStartedAt, run }: DeadlineFacts,
  now: () => number,
): { clear(): void } {
  const timers = [setTimeout(() => run.abort("deadline"), attemptMs)];
  const { deadline_ms: budgetMs } = payload.limits;
  if (budgetMs !== undefined) {
    const leftMs = Math.min(budgetMs, firstStartedAt + budgetMs - now());
    const expire = () => run.fail(budgetExhausted("deadline_ms", budgetMs));
    // At once: an agent that keeps the thread busy would not let a timer run.
    if (leftMs <= 0) expire();
    else timers.push(setTimeout(expire, leftMs));
  }
  return {
    clear() {
      for (const timer of timers) clearTimeout(timer);
    },
  };
}
