/** Ends jobs that no worker runs, with an attempt of its own, so that whoever should still run them is fenced off (I4). */
import { SalvagedPayloadSchema } from "@agent-paas/shared/contract/jobs.ts";
import type { Job } from "bullmq";
import type { JobEventPublisher } from "../events/job-event-publisher.ts";
import { NOBODY } from "../events/job-event-writer.ts";
import type { JobRepository } from "../storage/job-repository.ts";
import type { JobClaims } from "./job-claims.ts";
import type { JobEnder, JobEnding } from "./job-ender.ts";

export type UnownedJobEnder = ReturnType<typeof createUnownedJobEnder>;

export function createUnownedJobEnder(
  claims: JobClaims,
  publisher: JobEventPublisher,
  jobs: JobRepository,
  ender: JobEnder,
) {
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
        // Nothing is kept of what earlier runs said, so nothing of it is to be shown.
        if (claim.runs > 0) writer.append({ event: "message", data: { content: "", type: "reset" } });
        await ender.end(payload, writer, ending);
      }
      return true;
    },
  };
}
