/** Asks for the end of a job. The worker's confirmation is the job's `done` event. */
import { isTerminal, type JobStatus, queueOf } from "@agent-paas/shared/contract/jobs.ts";
import type { Services } from "../services.ts";
import { findJob, statusOf } from "./find-job.ts";

export type CancelResult = {
  /** The status of the job before the request. */
  readonly status: JobStatus;
  /** False: the job has ended, and its terminal status is write-once. */
  readonly isRequested: boolean;
};

/** Idempotent. Throws `job_not_found`, `queue_unavailable`, and `not_replicated` where a failover may lose it. */
export async function cancelJob(
  services: Pick<Services, "jobs" | "queuedJobs" | "cancellation">,
  owner: string,
  id: string,
): Promise<CancelResult> {
  const job = await findJob(services, owner, id);
  const status = statusOf(job);
  if (isTerminal(status)) return { status, isRequested: false };
  await services.cancellation.request(queueOf(job.in === "database" ? job.row : job.payload), id);
  return { status, isRequested: true };
}
