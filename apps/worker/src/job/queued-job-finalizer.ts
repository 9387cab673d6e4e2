/**
 * Finalizes jobs that are in a queue and will not run: cancelled while they waited, failed without their processor,
 * given up. It uses a fencing token of its own, so that a worker that still starts the job is refused (I4). Each try
 * takes a token above the latest claim: the claim of a try whose write failed must not be in the way of the next.
 */
import { type JobPayload, SalvagedPayloadSchema } from "@agent-paas/shared/contract/jobs.ts";
import { failpoint } from "@agent-paas/shared/lifecycle/failpoints.ts";
import type { JobEventPublisher } from "../events/job-event-publisher.ts";
import { NO_SIGNALS } from "../events/job-event-writer.ts";
import { resetShownText } from "../events/reset-shown-text.ts";
import type { JobRepository } from "../storage/job-repository.ts";
import type { JobClaims } from "./job-claims.ts";
import type { JobEnding, JobFinalizer } from "./job-finalizer.ts";
import { type LiveTimelines, NO_TIMELINE } from "./live-timelines.ts";
import type { SessionQueue } from "./session-queue.ts";
import type { StoredPayloads } from "./stored-payloads.ts";

export type QueuedJobFinalizerDeps = {
  readonly claims: JobClaims;
  readonly publisher: JobEventPublisher;
  readonly jobs: JobRepository;
  readonly finalizer: JobFinalizer;
  readonly sessionQueue: Pick<SessionQueue, "idsAhead">;
  readonly stored: Pick<StoredPayloads, "read" | "leaveIndex">;
  readonly timelines: Pick<LiveTimelines, "left">;
};

/** A job as its queue has it; the payload may be one that cannot be read. */
export type QueuedJob = { readonly payload: unknown; readonly fencingToken: number };

export type QueuedJobFinalizer = ReturnType<typeof createQueuedJobFinalizer>;

export function createQueuedJobFinalizer(deps: QueuedJobFinalizerDeps) {
  const { claims, publisher, jobs, finalizer, sessionQueue, stored, timelines } = deps;
  return {
    /**
     * False: the job has ended, or its row has a higher fencing token. Only a published end is one: a caller that gets
     * false must ask for it. Throws when the payload names no owner and id.
     */
    async finalize(job: QueuedJob, ending: JobEnding): Promise<boolean> {
      const queued = SalvagedPayloadSchema.parse(await stored.read(job.payload));
      // A turn that never starts replaces nothing.
      const payload: JobPayload = { ...queued, replaced: undefined, replaces: undefined };
      const leastToken = job.fencingToken + 1;
      const claim = await claims.takeOver({ jobId: payload.job_id, leastToken, minAgeSeconds: 0 });
      if (claim === null) {
        await finalizer.leaveQueues(payload);
        return false;
      }
      failpoint("taken_over", payload.job_id);
      const { fencingToken } = claim;
      const writer = publisher.open({ jobId: payload.job_id, fencingToken, seq: claim.fence, signals: NO_SIGNALS });
      // It ends before its turn; jobs ahead of it write their messages later, into places before its own (I6).
      const started = await jobs.start(payload, fencingToken, await sessionQueue.idsAhead(payload));
      if (started.kind === "stale") return false;
      await stored.leaveIndex(payload);
      if (started.kind === "ended") {
        await finalizer.republishEnd(payload, writer, started.row, claim.lastSeq);
        return true;
      }
      // The start above counts as one attempt in the row.
      const attempted = Math.max(claim.attempts, started.attempt - 1);
      const hadAttempts = attempted > 0;
      if (hadAttempts) resetShownText(writer, claim);
      // Skip seq 1: a first attempt may publish it before its row exists.
      else writer.skipTo(claim.fence + 1);
      const timeline = hadAttempts ? await timelines.left(payload.job_id, attempted, started.timeline) : NO_TIMELINE;
      await finalizer.finalize(payload, writer, { ...ending, timeline });
      return true;
    },
  };
}
