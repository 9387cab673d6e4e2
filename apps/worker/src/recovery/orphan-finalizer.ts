/** Ends jobs that no worker runs, with an attempt of its own, so that whoever should still run them is fenced off (I4). */
import { SalvagedPayloadSchema } from "@agent-paas/shared/contract/jobs.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import type { Job } from "bullmq";
import type { JobEventPublisher } from "../events/job-event-publisher.ts";
import { type JobEventWriter, MAX_EVENTS, NO_SIGNALS, SEQ_SKIP_PER_ATTEMPT } from "../events/job-event-writer.ts";
import type { JobClaims } from "../job/job-claims.ts";
import { type JobEnding, type JobFinalizer, NO_RESULT } from "../job/job-finalizer.ts";
import type { JobRepository } from "../storage/job-repository.ts";
import type { OrphanedJobRepository, RunningJobRow } from "../storage/orphaned-job-repository.ts";

/** A younger claim may be that of a worker that is about to end the job, or to notice that it is not its own any more. */
const CLAIM_MIN_AGE_S = (30 * SECOND) / SECOND;

/** Where the numbers of events go on when Redis has lost them: beyond whatever clients may have seen (I2). */
const seqIfLost = (attempts: number): number => attempts * 4 * MAX_EVENTS;

export type OrphanFinalizer = ReturnType<typeof createOrphanFinalizer>;

export function createOrphanFinalizer(
  claims: JobClaims,
  publisher: JobEventPublisher,
  jobs: JobRepository,
  finalizer: JobFinalizer,
  rows: OrphanedJobRepository,
) {
  /** Nothing is kept of what earlier runs said, so nothing of it is to be shown. */
  function takeBack(writer: JobEventWriter, seq: number): void {
    writer.skipTo(seq + SEQ_SKIP_PER_ATTEMPT);
    writer.append({ event: "message", data: { content: "", type: "reset" } });
  }

  return {
    /** False: somebody claimed it first, or it has ended. Throws when the payload does not even say whose it is. */
    async end(job: Job, ending: JobEnding): Promise<boolean> {
      const payload = SalvagedPayloadSchema.parse(job.data);
      const fencingToken = job.attemptsStarted + 1;
      const claim = await claims.claim(payload.job_id, fencingToken, false);
      if (claim.kind === "ended") await finalizer.release(payload);
      if (claim.kind !== "claimed") return false;
      const writer = publisher.open(payload.job_id, fencingToken, claim.seq, NO_SIGNALS);
      const started = await jobs.start(payload, fencingToken);
      if (started.kind === "stale") return false;
      if (started.kind === "ended") await finalizer.republishEnd(payload, writer, started.row);
      else {
        // The start above counts as one more.
        const wasBegun = claim.attempts > 0 || started.attempt > 1;
        if (wasBegun) takeBack(writer, claim.seq);
        // The first number is that of a first attempt's first words, which may be told before the row is read.
        else writer.skipTo(claim.seq + 1);
        await finalizer.finalize(payload, writer, ending);
      }
      return true;
    },

    /**
     * Ends a job that the queue has lost, by what its row says. False: it has ended or was started meanwhile, or was claimed
     * a moment ago.
     */
    async endLost(row: RunningJobRow): Promise<boolean> {
      const claim = await claims.takeOver(row.id, row.fencing_token + 1, CLAIM_MIN_AGE_S, seqIfLost(row.fencing_token));
      if (claim === null || !(await rows.takeOver(row, claim.fencingToken))) return false;
      const writer = publisher.open(row.id, claim.fencingToken, claim.seq, NO_SIGNALS);
      takeBack(writer, claim.seq);
      const payload = SalvagedPayloadSchema.parse({ ...row, job_id: row.id });
      const ending: JobEnding = claim.cancelRequested
        ? { status: "cancelled", ...NO_RESULT }
        : { status: "failed", error: new PlatformError("worker_lost"), ...NO_RESULT };
      await finalizer.finalize(payload, writer, ending);
      return true;
    },
  };
}
