/** The `maintenance` queue: retention, and ends and deletions that belong to no running job, with the queue's own retries. */
import {
  type JobKind,
  JobPayloadSchema,
  MaintenancePayloadSchema,
  NO_USAGE,
} from "@agent-paas/shared/contract/jobs.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import type { Job, Queue } from "bullmq";
import type { JobEventPublisher } from "../events/job-event-publisher.ts";
import { NO_SIGNALS } from "../events/job-event-writer.ts";
import type { JobClaims } from "../job/job-claims.ts";
import { NO_RESULT } from "../job/job-finalizer.ts";
import { RetryLater } from "../job/retry-delay.ts";
import type { OrphanFinalizer } from "../recovery/orphan-finalizer.ts";
import type { SessionRepository } from "../storage/session-repository.ts";
import type { Retention } from "./retention.ts";

/** When a cancelled job that a worker has is looked at again; as often as the order has tries. */
const LOOK_AGAIN_MS = SECOND;

export type MaintenanceDeps = {
  readonly queues: Record<JobKind, Queue>;
  readonly unowned: OrphanFinalizer;
  readonly sessions: SessionRepository;
  readonly claims: JobClaims;
  readonly publisher: JobEventPublisher;
  readonly retention: Retention;
};

export function createMaintenanceProcessor(deps: MaintenanceDeps) {
  const { queues, unowned, sessions, claims, publisher, retention } = deps;
  return async (job: Job): Promise<void> => {
    const payload = MaintenancePayloadSchema.parse(job.data);
    switch (payload.task) {
      case "end_cancelled_job": {
        const cancelled = await queues[payload.kind].getJob(payload.job_id);
        if (cancelled === undefined || cancelled.finishedOn !== undefined) return;
        // One that runs is its worker's to end; but a worker that is about to put it back does not look at the intent again.
        if (await cancelled.isActive()) throw new RetryLater("a worker has it", LOOK_AGAIN_MS);
        const ended = await unowned.end(cancelled, { status: "cancelled", ...NO_RESULT });
        // A worker that has just taken it cannot be robbed of it, and finds that it has ended.
        if (ended) await cancelled.remove().catch(() => {});
        else if ((await claims.endPublication(payload.job_id)) !== "published")
          throw new RetryLater("contended", LOOK_AGAIN_MS);
        return;
      }
      case "end_failed_job": {
        const failed = await queues[payload.kind].getJob(payload.job_id);
        if (failed?.finishedOn === undefined) return;
        const code = JobPayloadSchema.safeParse(failed.data).success ? "worker_lost" : "job_invalid";
        await unowned.end(failed, { status: "failed", error: new PlatformError(code), ...NO_RESULT });
        return;
      }
      case "delete_session": {
        for (const { id, kind } of await sessions.jobsOf(payload.session_id, payload.owner)) {
          // A job that has just ended may be locked for a moment; the queue tries again.
          if (!(await queues[kind].remove(id)) && (await queues[kind].getJob(id))) throw new Error("still locked");
          await claims.forget(id);
        }
        await sessions.delete(payload.session_id, payload.owner);
        const claim = await claims.claim(payload.receipt_id, job.attemptsStarted);
        if (claim.kind !== "claimed") return;
        const writer = publisher.open(payload.receipt_id, job.attemptsStarted, claim.seq, NO_SIGNALS);
        const { session_id, receipt_id } = payload;
        writer.append({
          event: "done",
          data: { session_id, job_id: receipt_id, status: "completed", usage: NO_USAGE },
        });
        await writer.flushed();
        return;
      }
      case "apply_retention":
        return retention.apply();
    }
  };
}
