/** Gathers the facts that `admit` decides by. Each look costs a round trip, so none is made whose answer is certain. */
import type { JobPayload } from "@agent-paas/shared/contract/jobs.ts";
import type { InstallationClock } from "@agent-paas/shared/redis/clock.ts";
import type { AgentRunner } from "../run/agent-runner.ts";
import type { JobRepository } from "../storage/job-repository.ts";
import type { SuspensionRepository } from "../storage/suspension-repository.ts";
import { CAPABLE_WORKER_WAIT_MS, type JobFacts } from "./admit.ts";
import type { JobClaims } from "./job-claims.ts";
import type { Places } from "./places.ts";
import { mayBePoison } from "./poison-jobs.ts";
import type { SessionQueue } from "./session-queue.ts";

export type FactsDeps = {
  readonly sessionQueue: SessionQueue;
  readonly places: Pick<Places, "keep">;
  readonly claims: JobClaims;
  readonly jobs: Pick<JobRepository, "isEnded">;
  readonly suspendedRows: Pick<SuspensionRepository, "isWaiting">;
  readonly runner: Pick<AgentRunner, "canRun">;
  readonly clock: Pick<InstallationClock, "now">;
};

const NO_CRASHES = {
  waitsForPerson: false,
  crashes: { unfinishedAttempts: 0, isolatedAfter: 0, hasBlockedWorker: false, mayBlockWorker: false },
  isEnding: false,
} as const;

export async function gatherFacts(
  deps: FactsDeps,
  payload: JobPayload,
  fencingToken: number,
  isWithinPart: boolean,
): Promise<JobFacts> {
  const canRun = deps.runner.canRun(payload.agent_type);
  const waitedMs = deps.clock.now() - Date.parse(payload.accepted_at);
  const known = { fencingToken, canRun, waitedMs, jobsAhead: 0, hasPlace: true, isWithinPart, ...NO_CRASHES };
  if (!canRun && waitedMs <= CAPABLE_WORKER_WAIT_MS) return known;
  const isFirstStart = fencingToken === 1;
  // A job that began its session has nothing before it, and the session is known to nobody else yet (I6).
  const jobsAhead = payload.begins_session && isFirstStart ? 0 : await deps.sessionQueue.jobsAhead(payload);
  if (jobsAhead > 0 || isFirstStart) return { ...known, jobsAhead };
  // A first start has its place from its acceptance. By a later one its owner may hold too many: workers have died.
  const [hasPlace, crashes, waitsForPerson] = await Promise.all([
    deps.places.keep(payload),
    gatherCrashes(deps, payload.job_id),
    deps.suspendedRows.isWaiting(payload.job_id),
  ]);
  return { ...known, hasPlace, ...crashes, waitsForPerson };
}

async function gatherCrashes(
  { claims, jobs }: FactsDeps,
  jobId: string,
): Promise<Pick<JobFacts, "crashes" | "isEnding">> {
  const { cancelRequested, ...crashes } = await claims.crashHistory(jobId);
  const isEnding = cancelRequested || (mayBePoison(crashes) && (await jobs.isEnded(jobId)));
  return { crashes, isEnding };
}
