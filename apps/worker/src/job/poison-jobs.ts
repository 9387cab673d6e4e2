/**
 * Jobs that have lost their workers again and again (I1, I9). One of them may be what kills workers; the others merely run
 * beside it, and start again when it does. So they are started apart, each after a pause of its own, and only what loses its
 * worker even then is given up. Runs whose workers live are not counted: outages, pauses and retries make no suspect.
 */
import { SECOND } from "@agent-paas/shared/time.ts";
import type { Job } from "bullmq";
import type { JobRepository } from "../storage/job-repository.ts";
import type { JobClaims } from "./job-claims.ts";

/** From so many lost runs on a job is started apart. */
const APART_FROM_LOST_RUNS = 3;
/** After so many it is given up. */
const MAX_LOST_RUNS = 5;
/**
 * The first pause is at most so long, each further one three times that: a job that kills its worker at its start has the
 * time to be alone, and one that does it late is met once more, not twice.
 */
const APART_WITHIN_MS = 20 * SECOND;

export type Suspicion =
  | { readonly kind: "none" }
  | { readonly kind: "apart"; readonly lost: number; readonly pauseMs: number }
  | { readonly kind: "given_up" };

const NONE = { kind: "none" } as const;

/** What a job that is about to be started is suspected of; one that is cancelled, or has only its end to tell, of nothing. */
export async function judgeSuspect(
  job: Job,
  jobId: string,
  claims: JobClaims,
  jobs: Pick<JobRepository, "isEnded">,
): Promise<Suspicion> {
  if (job.attemptsStarted === 1) return NONE;
  const { lost, apart, cancelRequested } = await claims.lostRuns(jobId);
  if (lost < APART_FROM_LOST_RUNS || cancelRequested || (await jobs.isEnded(jobId))) return NONE;
  if (lost >= MAX_LOST_RUNS) return { kind: "given_up" };
  if (apart === lost) return NONE;
  const withinMs = APART_WITHIN_MS * 3 ** (lost - APART_FROM_LOST_RUNS);
  return { kind: "apart", lost, pauseMs: Math.round(Math.random() * withinMs) };
}
