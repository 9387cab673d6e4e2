/** How a job becomes an attempt's own: claimed in Redis, started in the database, and told to whoever listens. */
import type { JobPayload } from "@agent-paas/shared/contract/jobs.ts";
import { reach } from "@agent-paas/shared/lifecycle/milestones.ts";
import type { Run } from "../control/running-jobs.ts";
import type { JobEventPublisher } from "../events/job-event-publisher.ts";
import { type JobEventWriter, NEXT_RUN_SEQ_SKIP } from "../events/job-event-writer.ts";
import { STATUS_TEXTS } from "../events/status-texts.ts";
import type { JobRepository, StartedJob } from "../storage/job-repository.ts";
import type { JobClaims } from "./job-claims.ts";
import type { JobEnder } from "./job-ender.ts";
import { RetryLater, retryDelayMs } from "./retry-delay.ts";

export type BeginDeps = {
  readonly claims: JobClaims;
  readonly publisher: JobEventPublisher;
  readonly jobs: JobRepository;
  readonly ender: JobEnder;
};

export type BegunJob = {
  /** How often the agent was begun, this time included. */
  readonly runs: number;
  readonly firstStartedAt: number;
  readonly writer: JobEventWriter;
};

/**
 * Null: the job had ended, and its end is told. A cancel requested before aborts the run. Throws `RetryLater` when another attempt
 * has the job.
 */
export async function beginJob(
  deps: BeginDeps,
  payload: JobPayload,
  attempt: number,
  run: Run,
): Promise<BegunJob | null> {
  const { claims, publisher, jobs, ender } = deps;
  const signals = { refused: () => run.abort("disowned"), cancelRequested: () => run.abort("cancelled") };
  if (attempt === 1) {
    // Its first words claim it while its row is written: one wait for both.
    const writer = publisher.openFirst(payload.job_id, signals);
    tellStart(payload, 1, writer);
    const claiming = writer.flushed().then(
      () => {
        reach("claimed", payload.job_id);
        return true;
      },
      () => false,
    );
    const [started, isClaimed] = await Promise.all([jobs.start(payload, attempt), claiming]);
    if (isClaimed) {
      const own = await ownOrTold(deps, payload, writer, started);
      return own && { ...own, writer };
    }
  }
  const claim = await claims.claim(payload.job_id, attempt);
  if (claim.kind === "ended") {
    await ender.release(payload);
    return null;
  }
  if (claim.kind === "stale") throw new RetryLater("claimed elsewhere", retryDelayMs(1, null));
  reach("claimed", payload.job_id);
  if (claim.cancelRequested) run.abort("cancelled");
  const writer = publisher.open(payload.job_id, attempt, claim.seq, signals);
  const started = await ownOrTold(deps, payload, writer, await jobs.start(payload, attempt));
  if (started === null) return null;
  // A Redis that lost its last second may know of fewer.
  const runs = Math.max(claim.runs, started.runs);
  if (runs > 1) writer.skipTo(claim.seq + NEXT_RUN_SEQ_SKIP);
  // A job that was cancelled while it waited for its session has nothing to say; one that had begun, something to take back.
  if (runs > 1 || !run.signal.aborted) tellStart(payload, runs, writer);
  return { runs, firstStartedAt: started.firstStartedAt, writer };
}

/** Null: the row says that the job has ended, and its end is told. */
async function ownOrTold(
  { ender }: BeginDeps,
  payload: JobPayload,
  writer: JobEventWriter,
  started: StartedJob,
): Promise<(StartedJob & { kind: "started" }) | null> {
  if (started.kind === "started") return started;
  if (started.kind === "stale") throw new RetryLater("started elsewhere", retryDelayMs(1, null));
  await ender.tellAgain(payload, writer, started.row);
  return null;
}

/** The first words of an attempt; one that starts over tells clients to drop what they show. */
function tellStart(payload: JobPayload, runs: number, writer: JobEventWriter): void {
  const texts = STATUS_TEXTS[payload.locale];
  if (runs > 1) {
    writer.append({ event: "thought", data: { content: texts.startingOver(runs), type: "retry", attempt: runs } });
    writer.append({ event: "message", data: { content: "", type: "reset" } });
  } else {
    writer.append({ event: "thought", data: { content: texts.processing(payload.agent_type), type: "status" } });
  }
}
