/** Carries out what `admit` decided for a job that does not start now. */
import type { ThoughtEvent } from "@agent-paas/shared/contract/events.ts";
import { type JobPayload, queueOf } from "@agent-paas/shared/contract/jobs.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import type { JobEventPublisher } from "../events/job-event-publisher.ts";
import { NO_SIGNALS } from "../events/job-event-writer.ts";
import { STATUS_TEXTS } from "../events/status-texts.ts";
import { NO_RESULT } from "../run/run-result.ts";
import type { Admission } from "./admit.ts";
import type { JobClaims } from "./job-claims.ts";
import type { Lease } from "./lease.ts";
import type { Places } from "./places.ts";
import type { QueuedJobFinalizer } from "./queued-job-finalizer.ts";
import { ClaimedElsewhere } from "./retry-delay.ts";
import type { SessionQueue } from "./session-queue.ts";
import type { Suspensions } from "./suspensions.ts";

export type AdmissionDeps = {
  readonly sessionQueue: SessionQueue;
  readonly places: Places;
  readonly claims: JobClaims;
  readonly publisher: JobEventPublisher;
  readonly queuedJobs: QueuedJobFinalizer;
  readonly suspensions: Pick<Suspensions, "leaveQueue" | "showAgain">;
};

type NotStarted = Exclude<Admission, { kind: "start" }>;
type GivenUp = Extract<Admission, { kind: "finalize" }>;

const GIVEN_UP_BECAUSE: Record<GivenUp["code"], string> = {
  worker_lost: "job given up: its workers crashed too often",
  agent_failed: "job given up: it blocked the thread of its worker until the jobs there lost their locks",
};
/** Users see it. */
const BLOCKED_ITS_WORKER =
  "The agent blocked its worker: it kept the worker's thread busy for so long that other jobs there had to start again. The job was given up after one such run.";

/** Throws unless the job was finalized: what the lease throws tells BullMQ that the job has moved. */
export async function applyAdmission(
  deps: AdmissionDeps,
  lease: Lease,
  payload: JobPayload,
  admission: NotStarted,
  logger: Logger,
): Promise<void> {
  if (admission.kind === "requeue") return lease.requeue();
  if (admission.kind === "finalize") return giveUp(deps, lease, payload, admission.code, logger);
  const texts = STATUS_TEXTS[payload.locale];
  switch (admission.why) {
    case "no_capable_worker":
    case "blocked_worker":
    case "owner_part":
      return lease.delay(admission.ms);
    case "session_busy": {
      const { jobsAhead, ms } = admission;
      if (lease.fencingToken === 1) {
        const content = texts.queued(jobsAhead);
        await publishThought(deps, payload, lease.fencingToken, { content, type: "queued", position: jobsAhead });
      }
      return lease.delay(ms, async () => {
        // Its place is for a job that can run.
        await deps.places.yield(payload);
        // The head may have ended between the check and the delay, when there was no delayed job to promote.
        if ((await deps.sessionQueue.jobsAhead(payload)) > 0) return;
        await deps.places.promote(queueOf(payload), payload.owner, payload.job_id);
      });
    }
    case "waits_for_person":
      await deps.suspensions.showAgain(payload, lease.fencingToken);
      return lease.delay(admission.ms, () => deps.suspensions.leaveQueue(payload));
    case "no_place":
      return lease.delay(admission.ms, () => deps.places.stepBack(payload));
    case "poison_job": {
      const { ms, unfinishedAttempts } = admission;
      const content = texts.startingIsolated(unfinishedAttempts, Math.ceil(ms / SECOND));
      await publishThought(deps, payload, lease.fencingToken, { content, type: "status", delay_ms: ms });
      await deps.claims.noteIsolation(payload.job_id, unfinishedAttempts);
      return lease.delay(ms);
    }
  }
}

async function giveUp(
  { queuedJobs, claims }: AdmissionDeps,
  lease: Lease,
  { job_id: jobId, agent_type }: JobPayload,
  code: GivenUp["code"],
  logger: Logger,
): Promise<void> {
  logger.error({ agent_type, code }, GIVEN_UP_BECAUSE[code]);
  const message = code === "agent_failed" ? { message: BLOCKED_ITS_WORKER } : {};
  const ending = { status: "failed", error: new PlatformError(code, message), ...NO_RESULT } as const;
  const isFinalized = await queuedJobs.finalize(lease, ending);
  if (isFinalized || (await claims.endPublication(jobId)) === "published") return;
  throw new ClaimedElsewhere();
}

/** Publishes a status of a job that does not start, in the job's own log. */
async function publishThought(
  { claims, publisher }: AdmissionDeps,
  { job_id: jobId }: JobPayload,
  fencingToken: number,
  data: ThoughtEvent["data"],
): Promise<void> {
  const claim = await claims.claim(jobId, fencingToken, { beginsAttempt: false });
  if (claim.kind !== "claimed") return;
  const writer = publisher.open({ jobId, fencingToken, seq: claim.fence, signals: NO_SIGNALS });
  writer.append({ event: "thought", data });
  await writer.flushed();
}
