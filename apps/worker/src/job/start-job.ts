/** How a job becomes an attempt's own: claimed in Redis, started in the database, and told to whoever listens. */
import type { JobPayload } from "@agent-paas/shared/contract/jobs.ts";
import { failpoint } from "@agent-paas/shared/lifecycle/failpoints.ts";
import type { JobEventPublisher } from "../events/job-event-publisher.ts";
import { type JobEventWriter, SEQ_SKIP_PER_ATTEMPT } from "../events/job-event-writer.ts";
import { STATUS_TEXTS } from "../events/status-texts.ts";
import type { JobRepository, StartedJob } from "../storage/job-repository.ts";
import type { JobClaims } from "./job-claims.ts";
import type { JobFinalizer } from "./job-finalizer.ts";
import { RetryLater, retryDelayMs } from "./retry-delay.ts";
import type { Run } from "./running-jobs.ts";

export type StartDeps = {
  readonly claims: JobClaims;
  readonly publisher: JobEventPublisher;
  readonly jobs: JobRepository;
  readonly finalizer: JobFinalizer;
};

export type StartedAttempt = {
  /** How often the agent was begun, this time included. */
  readonly attempt: number;
  readonly firstStartedAt: number;
  readonly writer: JobEventWriter;
};

/**
 * Null: the job had ended, and its end is told. A cancel requested before aborts the run. Throws `RetryLater` when another attempt
 * has the job.
 */
export async function startJob(
  deps: StartDeps,
  payload: JobPayload,
  fencingToken: number,
  run: Run,
): Promise<StartedAttempt | null> {
  const { claims, publisher, jobs, finalizer } = deps;
  const signals = { refused: () => run.abort("superseded"), cancelRequested: () => run.abort("cancelled") };
  if (fencingToken === 1) {
    // Its first words claim it while its row is written: one wait for both.
    const writer = publisher.openFirst(payload.job_id, signals);
    publishStart(payload, 1, writer);
    const claiming = writer.flushed().then(
      () => {
        failpoint("claimed", payload.job_id);
        return true;
      },
      () => false,
    );
    const [started, isClaimed] = await Promise.all([jobs.start(payload, fencingToken), claiming]);
    if (isClaimed) {
      const own = await ownOrTold(deps, payload, writer, started);
      return own && { ...own, writer };
    }
  }
  const claim = await claims.claim(payload.job_id, fencingToken);
  if (claim.kind === "ended") {
    await finalizer.release(payload);
    return null;
  }
  if (claim.kind === "stale") throw new RetryLater("claimed elsewhere", retryDelayMs(1, null));
  failpoint("claimed", payload.job_id);
  if (claim.cancelRequested) run.abort("cancelled");
  const writer = publisher.open(payload.job_id, fencingToken, claim.seq, signals);
  const started = await ownOrTold(deps, payload, writer, await jobs.start(payload, fencingToken));
  if (started === null) return null;
  // A Redis that lost its last second may know of fewer.
  const attempt = Math.max(claim.attempts, started.attempt);
  if (attempt > 1) writer.skipTo(claim.seq + SEQ_SKIP_PER_ATTEMPT);
  // A job that was cancelled while it waited for its session has nothing to say; one that had begun, something to take back.
  if (attempt > 1 || !run.signal.aborted) publishStart(payload, attempt, writer);
  return { attempt, firstStartedAt: started.firstStartedAt, writer };
}

/** Null: the row says that the job has ended, and its end is told. */
async function ownOrTold(
  { finalizer }: StartDeps,
  payload: JobPayload,
  writer: JobEventWriter,
  started: StartedJob,
): Promise<(StartedJob & { kind: "started" }) | null> {
  if (started.kind === "started") return started;
  if (started.kind === "stale") throw new RetryLater("started elsewhere", retryDelayMs(1, null));
  await finalizer.republishEnd(payload, writer, started.row);
  return null;
}

/** The first words of an attempt; one that starts over tells clients to drop what they show. */
function publishStart(payload: JobPayload, attempt: number, writer: JobEventWriter): void {
  const texts = STATUS_TEXTS[payload.locale];
  if (attempt > 1) {
    writer.append({ event: "thought", data: { content: texts.startingOver(attempt), type: "retry", attempt } });
    writer.append({ event: "message", data: { content: "", type: "reset" } });
  } else {
    writer.append({ event: "thought", data: { content: texts.processing(payload.agent_type), type: "status" } });
  }
}
