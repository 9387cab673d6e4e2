/** Finalizes orphaned jobs: their rows say that they run, and no queue has them. */
import { SalvagedPayloadSchema } from "@agent-paas/shared/contract/jobs.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { failpoint } from "@agent-paas/shared/lifecycle/failpoints.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import type { JobEventPublisher } from "../events/job-event-publisher.ts";
import { NO_SIGNALS } from "../events/job-event-writer.ts";
import { MAX_EVENTS } from "../events/log-order.ts";
import { resetShownText } from "../events/reset-shown-text.ts";
import type { JobClaims } from "../job/job-claims.ts";
import type { JobEnding, JobFinalizer } from "../job/job-finalizer.ts";
import type { LiveTimelines } from "../job/live-timelines.ts";
import { NO_RESULT } from "../run/run-result.ts";
import type { OrphanedJobRepository, RunningJobRow } from "../storage/orphaned-job-repository.ts";

/** The worker of a younger claim may be about to finalize the job, or to notice that it is superseded. */
const CLAIM_MIN_AGE_S = (30 * SECOND) / SECOND;

/** Where `seq` goes on when Redis has lost it: beyond anything that clients may have seen (I2). */
const seqIfLost = (fencingToken: number): number => fencingToken * 4 * MAX_EVENTS;

export type OrphanFinalizerDeps = {
  readonly claims: JobClaims;
  readonly publisher: JobEventPublisher;
  readonly finalizer: JobFinalizer;
  readonly rows: OrphanedJobRepository;
  readonly timelines: Pick<LiveTimelines, "left">;
};

export type OrphanFinalizer = ReturnType<typeof createOrphanFinalizer>;

export function createOrphanFinalizer({ claims, publisher, finalizer, rows, timelines }: OrphanFinalizerDeps) {
  return {
    /** Finalizes by what the row says. False: the job has ended or was started meanwhile, or its claim is young. */
    async finalize(row: RunningJobRow): Promise<boolean> {
      const claim = await claims.takeOver({
        jobId: row.id,
        leastToken: row.fencing_token + 1,
        minAgeSeconds: CLAIM_MIN_AGE_S,
      });
      if (claim === null) return false;
      failpoint("taken_over", row.id);
      if (!(await rows.takeOver(row, claim.fencingToken))) return false;
      const writer = publisher.open({
        jobId: row.id,
        fencingToken: claim.fencingToken,
        seq: claim.fence,
        signals: NO_SIGNALS,
      });
      if (claim.attempts === 0) writer.skipTo(seqIfLost(row.fencing_token));
      resetShownText(writer, claim);
      const payload = SalvagedPayloadSchema.parse({ ...row, job_id: row.id });
      const ending: JobEnding = claim.cancelRequested
        ? { status: "cancelled", ...NO_RESULT }
        : { status: "failed", error: new PlatformError("worker_lost"), ...NO_RESULT };
      const timeline = await timelines.left(row.id, row.attempts, row.timeline);
      await finalizer.finalize(payload, writer, { ...ending, timeline });
      return true;
    },
  };
}
