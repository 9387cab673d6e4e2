/** The processor of the `maintenance` queue. BullMQ retries an action that throws. */
import {
  JOB_QUEUES,
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
import type { SessionQueue } from "../job/session-queue.ts";
import { parsePayload, type StoredPayloads } from "../job/stored-payloads.ts";
import type { Suspensions } from "../job/suspensions.ts";
import { NO_RESULT } from "../run/run-result.ts";
import type { SessionRepository } from "../storage/session-repository.ts";
import type { Retention } from "./retention.ts";

/** The delay before the finalization of a cancelled job is tried again, if a worker holds the job, ms. */
const RECHECK_MS = SECOND;

export type MaintenanceDeps = {
  readonly queues: JobQueues;
  readonly queuedJobs: QueuedJobFinalizer;
  readonly sessions: SessionRepository;
  readonly sessionQueue: Pick<SessionQueue, "isClosed">;
  readonly claims: JobClaims;
  readonly publisher: JobEventPublisher;
  readonly retention: Retention;
  readonly stored: Pick<StoredPayloads, "read">;
  readonly suspensions: Pick<Suspensions, "resume" | "restore">;
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
      case "resume_job":
        return deps.suspensions.resume(payload.job_id);
      case "delete_session":
        return deleteSession(deps, payload, job.attemptsStarted);
      case "rename_session":
        return renameSession(deps, payload, job.attemptsStarted);
      case "apply_retention":
        return deps.retention.apply();
    }
  };
}

async function endCancelledJob(
  { queues, queuedJobs, claims, suspensions }: MaintenanceDeps,
  { queue, job_id: jobId }: Action<"end_cancelled_job">,
): Promise<void> {
  await suspensions.restore(jobId);
  // A knowledge job of a former version is in the queue of its kind.
  const found = await Promise.all([queue, ...JOB_QUEUES].map((name) => queues[name].getJob(jobId)));
  const job = found.find((one) => one !== undefined);
  if (job === undefined || job.finishedOn !== undefined) return;
  // The worker of a running job finalizes it. But if that worker is just requeueing the job, it may miss the request.
  if (await job.isActive()) throw new RetryLater("a worker holds the job", RECHECK_MS);
  const queued = { payload: job.data, fencingToken: job.attemptsStarted };
  const isFinalized = await queuedJobs.finalize(queued, { status: "cancelled", ...NO_RESULT });
  if (!isFinalized && (await claims.endPublication(jobId)) !== "published") {
    throw new RetryLater("claimed elsewhere", RECHECK_MS);
  }
  // Also after an end that another start of this action has published before it died. What a worker has just taken
  // stays; that worker finds that the job has ended.
  await Promise.all(JOB_QUEUES.map((name) => queues[name].remove(jobId)));
}

async function endFailedJob(
  { queues, queuedJobs, claims, stored }: MaintenanceDeps,
  { queue, job_id: jobId }: Action<"end_failed_job">,
): Promise<void> {
  const job = await queues[queue].getJob(jobId);
  if (job?.finishedOn === undefined) return;
  const code = parsePayload(await stored.read(job.data)) === null ? "job_invalid" : "worker_lost";
  const queued = { payload: job.data, fencingToken: job.attemptsStarted };
  const ending = { status: "failed", error: new PlatformError(code), ...NO_RESULT } as const;
  const isFinalized = await queuedJobs.finalize(queued, ending);
  // Only a published end is one; another claim may be of a process that died before it wrote anything.
  if (!isFinalized && (await claims.endPublication(jobId)) !== "published") {
    throw new RetryLater("claimed elsewhere", RECHECK_MS);
  }
}

async function deleteSession(
  deps: MaintenanceDeps,
  { session_id, owner, receipt_id }: Action<"delete_session">,
  fencingToken: number,
): Promise<void> {
  const { queues, sessions, claims } = deps;
  for (const { id, kind } of await sessions.jobsOf(session_id, owner)) {
    // A job that has just ended may still be locked for a moment; BullMQ retries this action.
    if (!(await queues[kind].remove(id)) && (await queues[kind].getJob(id)))
      throw new Error("a job of the session is still locked");
    await claims.forget(id);
  }
  await sessions.delete(session_id, owner);
  await publishReceipt(deps, session_id, receipt_id, fencingToken);
}

async function renameSession(
  deps: MaintenanceDeps,
  { session_id, owner, title, pending, receipt_id }: Action<"rename_session">,
  fencingToken: number,
): Promise<void> {
  // A session that was deleted meanwhile must not come back.
  if (!(await deps.sessionQueue.isClosed(session_id))) await deps.sessions.rename(session_id, owner, title, pending);
  await publishReceipt(deps, session_id, receipt_id, fencingToken);
}

/** Publishes `done` in the event log of the receipt, on which the API request waits. */
async function publishReceipt(
  { claims, publisher }: MaintenanceDeps,
  session_id: string,
  receipt_id: string,
  fencingToken: number,
): Promise<void> {
  const claim = await claims.claim(receipt_id, fencingToken);
  if (claim.kind === "ended") return;
  // A later start of this action may have died after its claim; the next one has a higher token.
  if (claim.kind === "stale") throw new RetryLater("the receipt is claimed elsewhere", RECHECK_MS);
  const writer = publisher.open({ jobId: receipt_id, fencingToken, seq: claim.fence, signals: NO_SIGNALS });
  writer.append({
    event: "done",
    data: { session_id, job_id: receipt_id, status: "completed", usage: NO_USAGE, finish_reason: null },
  });
  await writer.flushed();
}
