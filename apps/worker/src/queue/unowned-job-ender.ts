/** Ends jobs that no worker runs, with an attempt of its own, so that whoever should still run them is fenced off (I4). */
import { SalvagedPayloadSchema } from "@agent-paas/shared/contract/jobs.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import type { Job } from "bullmq";
import type { JobEventPublisher } from "../events/job-event-publisher.ts";
import { type JobEventWriter, MAX_EVENTS, NEXT_RUN_SEQ_SKIP, NOBODY } from "../events/job-event-writer.ts";
import type { JobRepository } from "../storage/job-repository.ts";
import type { RunningJobRow, UnownedJobRepository } from "../storage/unowned-job-repository.ts";
import type { JobClaims } from "./job-claims.ts";
import { type JobEnder, type JobEnding, nothingDone } from "./job-ender.ts";

/** A younger claim may be that of a worker that is about to end the job, or to notice that it is not its own any more. */
const CLAIM_MIN_AGE_S = (30 * SECOND) / SECOND;

/** Where the numbers of events go on when Redis has lost them: beyond whatever clients may have seen (I2). */
const seqIfLost = (attempts: number): number => attempts * 4 * MAX_EVENTS;

export type UnownedJobEnder = ReturnType<typeof createUnownedJobEnder>;

export function createUnownedJobEnder(
  claims: JobClaims,
  publisher: JobEventPublisher,
  jobs: JobRepository,
  ender: JobEnder,
  rows: UnownedJobRepository,
) {
  /** Nothing is kept of what earlier runs said, so nothing of it is to be shown. */
  function takeBack(writer: JobEventWriter, seq: number): void {
    writer.skipTo(seq + NEXT_RUN_SEQ_SKIP);
    writer.append({ event: "message", data: { content: "", type: "reset" } });
  }

  return {
    /** False: somebody claimed it first, or it has ended. Throws when the payload does not even say whose it is. */
    async end(job: Job, ending: JobEnding): Promise<boolean> {
      const payload = SalvagedPayloadSchema.parse(job.data);
      const attempt = job.attemptsStarted + 1;
      const claim = await claims.claim(payload.job_id, attempt, false);
      if (claim.kind === "ended") await ender.release(payload);
      if (claim.kind !== "claimed") return false;
      const writer = publisher.open(payload.job_id, attempt, claim.seq, NOBODY);
      const started = await jobs.start(payload, attempt);
      if (started.kind === "stale") return false;
      if (started.kind === "ended") await ender.tellAgain(payload, writer, started.row);
      else {
        // The start above counts as one more.
        const wasBegun = claim.runs > 0 || started.runs > 1;
        if (wasBegun) takeBack(writer, claim.seq);
        // The first number is that of a first attempt's first words, which may be told before the row is read.
        else writer.skipTo(claim.seq + 1);
        await ender.end(payload, writer, ending);
      }
      return true;
    },

    /**
     * Ends a job that the queue has lost, by what its row says. False: it has ended or was started meanwhile, or was claimed
     * a moment ago.
     */
    async endLost(row: RunningJobRow): Promise<boolean> {
      const claim = await claims.takeOver(row.id, row.attempt + 1, CLAIM_MIN_AGE_S, seqIfLost(row.attempt));
      if (claim === null || !(await rows.takeOver(row, claim.attempt))) return false;
      const writer = publisher.open(row.id, claim.attempt, claim.seq, NOBODY);
      takeBack(writer, claim.seq);
      const payload = SalvagedPayloadSchema.parse({ ...row, job_id: row.id });
      const ending: JobEnding = claim.cancelRequested
        ? { status: "cancelled", ...nothingDone }
        : { status: "failed", error: new PlatformError("worker_lost"), ...nothingDone };
      await ender.end(payload, writer, ending);
      return true;
    },
  };
}
