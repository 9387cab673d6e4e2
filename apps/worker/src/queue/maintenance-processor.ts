/** The `maintenance` queue: retention, and finalizations and deletions that belong to no running job, with retries. */
import {
  JobPayloadSchema,
  type MaintenancePayload,
  MaintenancePayloadSchema,
  NO_USAGE,
} from "@agent-paas/shared/contract/jobs.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import type { Job } from "bullmq";
import type { JobEventPublisher } from "../events/job-event-publisher.ts";
import { NO_SIGNALS } from "../events/job-event-writer.ts";
import type { JobClaims } from "../job/job-claims.ts";
import type { JobQueues } from "../job/job-queues.ts";
import type { QueuedJobFinalizer } from "../job/queued-job-finalizer.ts";
import { RetryLater } from "../job/retry-delay.ts";
import { NO_RESULT } from "../run/run-result.ts";
import type { SessionRepository } from "../storage/session-repository.ts";
import type { Retention } from "./retention.ts";

/** When the finalization of a cancelled job that a worker holds is tried again. */
const RECHECK_MS = SECOND;

export type MaintenanceDeps = {
  readonly queues: JobQueues;
  readonly queuedJobs: QueuedJobFinalizer;
  readonly sessions: SessionRepository;
  readonly claims: JobClaims;
  readonly publisher: JobEventPublisher;
  readonly retention: Retention;
};

type Action<Name extends MaintenancePayload["action"]> = Extract<MaintenancePayload, { action: Name }>;

export function createMaintenanceProcessor(deps: MaintenanceDeps) {
  return async (job: Job): Promise<void> => {
    const payload = MaintenancePayloadSchema.parse(job.data);
    switch (payload.action) {
      case "end_cancelled_job":
        return endCancelledJob(deps, payload);
      case "end_failed_job":
        return endFailedJob(deps, payload);
      case "delete_session":
        return deleteSession(deps, payload, job.attemptsStarted);
      case "apply_retention":
        return deps.retention.apply();
    }
  };
}

async function endCancelledJob(
  { queues, queuedJobs, claims }: MaintenanceDeps,
  { kind, job_id: jobId }: Action<"end_cancelled_job">,
): Promise<void> {
  const job = await queues[kind].getJob(jobId);
  if (job === undefined || job.finishedOn !== undefined) return;
  // Its worker finalizes a running job. But a worker that is about to put it back does not read the request again.
  if (await job.isActive()) throw new RetryLater("a worker has it", RECHECK_MS);
  const queued = { payload: job.data, fencingToken: job.attemptsStarted };
  const isFinalized = await queuedJobs.finalize(queued, { status: "cancelled", ...NO_RESULT });
  // A worker that has just taken it keeps it, and finds that it has ended.
  if (isFinalized) await job.remove().catch(() => {});
  else if ((await claims.endPublication(jobId)) !== "published") throw new RetryLater("contended", RECHECK_MS);
}

async function endFailedJob(
  { queues, queuedJobs }: MaintenanceDeps,
  { kind, job_id: jobId }: Action<"end_failed_job">,
): Promise<void> {
  const job = await queues[kind].getJob(jobId);
  if (job?.finishedOn === undefined) return;
  const code = JobPayloadSchema.safeParse(job.data).success ? "worker_lost" : "job_invalid";
  const queued = { payload: job.data, fencingToken: job.attemptsStarted };
  await queuedJobs.finalize(queued, { status: "failed", error: new PlatformError(code), ...NO_RESULT });
}

/** Publishes `done` in the event log of the receipt, for the request that waits for it. */
async function deleteSession(
  { queues, sessions, claims, publisher }: MaintenanceDeps,
  { session_id, owner, receipt_id }: Action<"delete_session">,
  fencingToken: number,
): Promise<void> {
  for (const { id, kind } of await sessions.jobsOf(session_id, owner)) {
    // A job that has just ended may be locked for a moment; BullMQ retries.
    if (!(await queues[kind].remove(id)) && (await queues[kind].getJob(id))) throw new Error("still locked");
    await claims.forget(id);
  }
  await sessions.delete(session_id, owner);
  const claim = await claims.claim(receipt_id, fencingToken);
  if (claim.kind !== "claimed") return;
  const writer = publisher.open(receipt_id, fencingToken, claim.seq, NO_SIGNALS);
  writer.append({
    event: "done",
    data: { session_id, job_id: receipt_id, status: "completed", usage: NO_USAGE },
  });
  await writer.flushed();
}
