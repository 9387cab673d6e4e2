/** What follows from the outcome of a run: finalize the job, let BullMQ retry it, requeue it, or leave it alone. */
import type { OpenInquiry } from "@agent-paas/shared/contract/inquiries.ts";
import type { JobPayload } from "@agent-paas/shared/contract/jobs.ts";
import type { AttemptOutcome } from "@agent-paas/shared/contract/timeline.ts";
import { StorageOutage } from "@agent-paas/shared/db/storage-outage.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { failpoint } from "@agent-paas/shared/lifecycle/failpoints.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import type { InstallationClock } from "@agent-paas/shared/redis/clock.ts";
import { emit } from "@agent-paas/shared/telemetry/telemetry.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import { STATUS_TEXTS } from "../events/status-texts.ts";
import { classifyOutcome, type RunOutcome } from "../run/classify-outcome.ts";
import { type RunControl, unlessStopped } from "../run/run-control.ts";
import type { RunResult } from "../run/run-result.ts";
import { retryWithinMs } from "./deadlines.ts";
import type { JobClaims } from "./job-claims.ts";
import type { JobEnding, JobFinalizer } from "./job-finalizer.ts";
import type { Lease } from "./lease.ts";
import { RetryLater, retryDelayMs } from "./retry-delay.ts";
import type { StartedAttempt } from "./start-attempt.ts";
import type { Suspensions } from "./suspensions.ts";

export type SettleDeps = {
  readonly claims: JobClaims;
  readonly finalizer: JobFinalizer;
  readonly clock: Pick<InstallationClock, "now">;
  /** Time limit of one attempt, ms. */
  readonly deadlineMs: number;
  readonly suspensions: Pick<Suspensions, "isUsedUp" | "suspend" | "leaveQueue">;
};

/** For a worker that dies before it has taken a suspended job out of its queue. */
const SUSPENDED_RECHECK_MS = 5 * SECOND;

export type Attempt = StartedAttempt & {
  readonly lease: Lease;
  readonly payload: JobPayload;
  readonly run: RunControl;
  readonly logger: Logger;
  /** From acceptance to this start. */
  readonly queueMs: number;
};

/** Throws when the job is not finalized: the error tells BullMQ what becomes of it. */
export async function settle(
  deps: SettleDeps,
  attempt: Attempt,
  outcome: RunOutcome,
  result: RunResult,
): Promise<void> {
  const { payload, run, writer, row, logger } = attempt;
  switch (outcome.kind) {
    case "completed":
      run.isOver = true;
      await unlessStopped(run, deps.finalizer.finalize(payload, writer, endingOf(attempt, "completed", result), row));
      logEnd(attempt, { status: "completed", ms: result.executionMs });
      return;
    case "suspended":
      return suspend(deps, attempt, outcome.inquiries, result);
    case "cancelled":
      await finalizeOutlasting(deps, attempt, endingOf(attempt, "cancelled", result));
      logEnd(attempt, { status: "cancelled" });
      return;
    case "failed":
      logFailure(attempt, outcome.error);
      await finalizeOutlasting(deps, attempt, {
        ...{ status: "failed", error: outcome.error, ...result },
        timeline: attempt.timeline.end("failed"),
      });
      return;
    case "retry":
      return retry(deps, attempt, outcome.error, result);
    case "requeued":
      logger.info("job requeued: this worker stops");
      writer.append({ event: "thought", data: { content: STATUS_TEXTS[payload.locale].requeued, type: "status" } });
      await writer.flushed();
      await closeAttempt(deps, attempt, "requeued");
      return attempt.lease.requeue();
    case "superseded":
      logger.warn("run stopped: a higher fencing token owns the job");
      await deps.claims.closeAttempt(payload.job_id);
      throw new Error("superseded");
  }
}

const endingOf = (attempt: Attempt, status: "completed" | "cancelled", result: RunResult): JobEnding => ({
  ...{ status, ...result, timeline: attempt.timeline.end(status) },
});

/** For a job that goes on. */
async function closeAttempt(
  { claims }: Pick<SettleDeps, "claims">,
  { payload, timeline }: Attempt,
  outcome: AttemptOutcome,
): Promise<void> {
  await Promise.all([timeline.leave(outcome), claims.closeAttempt(payload.job_id)]);
}

/**
 * Finalizes the job however long the database is out: no attempt would bring a better end. Rejects with a
 * `ProcessStopped` when this process stops; another one then starts the job again.
 */
const finalizeOutlasting = (deps: SettleDeps, attempt: Attempt, ending: JobEnding): Promise<void> =>
  outlasting(attempt.run, () => deps.finalizer.finalize(attempt.payload, attempt.writer, ending));

async function outlasting<T>(run: RunControl, write: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await unlessStopped(run, write());
    } catch (error) {
      if (!(error instanceof StorageOutage)) throw error;
    }
  }
}

/** The job gives its slot back; a decision on all that was asked has it enter its queue again (I11). */
async function suspend(
  deps: SettleDeps,
  attempt: Attempt,
  inquiries: readonly OpenInquiry[],
  result: RunResult,
): Promise<void> {
  const { lease, payload, run, writer, row, logger } = attempt;
  run.isOver = true;
  if (!(await row)) return;
  if (await outlasting(run, () => deps.suspensions.isUsedUp(payload.owner))) {
    return settle(deps, attempt, { kind: "failed", error: new PlatformError("suspended_jobs_limit") }, result);
  }
  // A cancel request whose message was lost; one that comes later is found when the job leaves its queue.
  if ((await deps.claims.cancelRequested([payload.job_id])).length > 0) {
    return settle(deps, attempt, { kind: "cancelled" }, result);
  }
  const timeline = attempt.timeline.end("suspended");
  await outlasting(run, () => deps.suspensions.suspend({ payload, lease, writer, inquiries, timeline }));
  const { job_id, kind, agent_type, owner, traceparent } = payload;
  logger.info({ inquiries: inquiries.length }, "job suspended: it waits for people");
  emit("job.suspended", { job_id, kind, agent_type, owner, traceparent, inquiries: inquiries.length });
  await closeAttempt(deps, attempt, "suspended");
  failpoint("suspended", payload.job_id);
  return lease.delay(SUSPENDED_RECHECK_MS, () => deps.suspensions.leaveQueue(payload));
}

async function retry(deps: SettleDeps, attempt: Attempt, error: PlatformError, result: RunResult): Promise<void> {
  const { lease, payload, run, writer, logger } = attempt;
  // The provider would refuse again before, and behind the deadline nothing runs.
  if ((error.retryAfterMs ?? 0) > retryWithinMs(deps.deadlineMs, attempt, deps.clock.now)) {
    return settle(deps, attempt, { kind: "failed", error }, result);
  }
  const delayMs = retryDelayMs(lease.retriesUsed + 1, error);
  logger.warn({ code: error.code, err: error, delay_ms: delayMs }, "job will be retried");
  const content = STATUS_TEXTS[payload.locale].retryingIn(Math.ceil(delayMs / SECOND));
  writer.append({ event: "thought", data: { content, type: "status", code: error.code, delay_ms: delayMs } });
  await writer.flushed();
  // A cancel request whose message was lost ends the job now, not at its next attempt.
  if ((await deps.claims.cancelRequested([payload.job_id])).length > 0) run.abort("cancelled");
  if (run.signal.aborted) return settle(deps, attempt, classifyOutcome(null, run.signal, false), result);
  await closeAttempt(deps, attempt, "retried");
  throw new RetryLater(error.code, delayMs);
}

function logEnd(
  { payload, queueMs, logger }: Attempt,
  fields: { readonly status: string; readonly ms?: number },
): void {
  const { kind, agent_type } = payload;
  logger.info({ ...fields, kind, agent_type, queue_ms: queueMs }, "job ended");
}

/** A failure that the request itself caused is no warning to the operator. */
function logFailure({ payload, queueMs, logger }: Attempt, error: PlatformError): void {
  const { kind, agent_type } = payload;
  const fields = { status: "failed", code: error.code, kind, agent_type, queue_ms: queueMs };
  if (error.status < 500) logger.info({ ...fields, reason: error.message }, "job ended");
  else logger.warn({ ...fields, err: error }, "job ended");
}
