/**
 * How an attempt starts: the job is claimed in Redis, started in the database, and the start is published.
 *
 * The run of a first attempt begins with the claim, while its row is on its way, so a job that ends at once writes its
 * start and its end in one transaction. Nothing that a client or another service sees happens before the row is
 * written: events, journal entries, and so every call of a tool, wait for it (`StartedAttempt.row`). Only the run's own
 * work does not, above all its first request to the model.
 */
import type { JobPayload } from "@agent-paas/shared/contract/jobs.ts";
import { fullerTimeline, parseTimeline } from "@agent-paas/shared/contract/timeline.ts";
import { StorageOutage } from "@agent-paas/shared/db/storage-outage.ts";
import { failpoint } from "@agent-paas/shared/lifecycle/failpoints.ts";
import type { InstallationClock } from "@agent-paas/shared/redis/clock.ts";
import type { JobEventPublisher } from "../events/job-event-publisher.ts";
import type { JobEventWriter } from "../events/job-event-writer.ts";
import { SEQ_SKIP_PER_ATTEMPT } from "../events/log-order.ts";
import { STATUS_TEXTS } from "../events/status-texts.ts";
import { type RunControl, unlessStopped } from "../run/run-control.ts";
import type { JobRepository, StartedJob } from "../storage/job-repository.ts";
import type { JobClaims } from "./job-claims.ts";
import type { JobFinalizer } from "./job-finalizer.ts";
import type { AttemptTimeline, LiveTimelines } from "./live-timelines.ts";
import { ClaimedElsewhere } from "./retry-delay.ts";
import type { StoredPayloads } from "./stored-payloads.ts";
import { WRITTEN, type WrittenRow } from "./written-row.ts";

export type StartDeps = {
  readonly claims: JobClaims;
  readonly publisher: JobEventPublisher;
  readonly jobs: JobRepository;
  readonly finalizer: JobFinalizer;
  readonly stored: Pick<StoredPayloads, "leaveIndex">;
  readonly clock: Pick<InstallationClock, "now">;
  readonly timelines: Pick<LiveTimelines, "begin" | "read">;
};

export type StartedAttempt = {
  /** From 1. */
  readonly attempt: number;
  /** When the job's first attempt started, by the installation's clock. */
  readonly firstStartedAt: number;
  readonly writer: JobEventWriter;
  readonly row: WrittenRow;
  readonly timeline: AttemptTimeline;
};

/**
 * Null: the job had ended, and its end is published. A cancel requested before aborts the run, and so does an outage of
 * the database beyond what writes wait for; it is waited out all the same, because the end must be written as well.
 * Throws `ClaimedElsewhere` when another process has the job, and `ProcessStopped`.
 */
export async function startAttempt(
  deps: StartDeps,
  payload: JobPayload,
  fencingToken: number,
  run: RunControl,
): Promise<StartedAttempt | null> {
  if (fencingToken === 1) {
    const first = await firstStart(deps, payload, run);
    if (first !== "claimed_elsewhere") return first;
  }
  return restart(deps, payload, fencingToken, run);
}

/**
 * A first start has no other before it, so its first batch of events claims the job in the script that appends it. The
 * batch is refused when the job was claimed before. A row is rare here, and tells of a Redis that has lost its last
 * second: then the job may have ended, and the run waits until the database has decided.
 */
async function firstStart(
  deps: StartDeps,
  payload: JobPayload,
  run: RunControl,
): Promise<StartedAttempt | null | "claimed_elsewhere"> {
  const writer = deps.publisher.openFirst(payload.job_id, signalsOf(run));
  publishStart(payload, { attempt: 1 }, writer);
  // A database that has not answered when the claim is confirmed may hold a row.
  let mayHaveRow = true;
  deps.jobs.isKnown(payload.job_id).then(
    (isKnown) => {
      mayHaveRow = isKnown;
    },
    () => {},
  );
  const isClaimed = await writer.flushed().then(
    () => true,
    () => false,
  );
  if (!isClaimed) return "claimed_elsewhere";
  failpoint("claimed", payload.job_id);
  const firstStartedAt = deps.clock.now();
  const lastSeq = writer.seq;
  const row = startRow(deps, payload, 1, run).then(
    async (started) => (await startedOrRepublished(deps, payload, writer, started, lastSeq)) !== null,
  );
  if (mayHaveRow && !(await row)) return null;
  abortUnlessWritten(run, row);
  const timeline = deps.timelines.begin({ jobId: payload.job_id, fencingToken: 1, attempt: 1 });
  return { attempt: 1, firstStartedAt, writer, row, timeline };
}

function abortUnlessWritten(run: RunControl, row: WrittenRow): void {
  row.then(
    (isStarted) => isStarted || run.abort("superseded"),
    () => run.abort("superseded"),
  );
}

/** Claims first: the claim says what the log holds and how many attempts there were. */
async function restart(
  deps: StartDeps,
  payload: JobPayload,
  fencingToken: number,
  run: RunControl,
): Promise<StartedAttempt | null> {
  const { claims, publisher, finalizer, timelines } = deps;
  const { job_id: jobId } = payload;
  const claim = await claims.claim(jobId, fencingToken);
  if (claim.kind === "ended") {
    await finalizer.leaveQueues(payload);
    return null;
  }
  if (claim.kind === "stale") throw new ClaimedElsewhere();
  failpoint("claimed", jobId);
  if (claim.cancelRequested) run.abort("cancelled");
  const writer = publisher.open({ jobId, fencingToken, seq: claim.fence, signals: signalsOf(run) });
  const [row, left] = await Promise.all([startRow(deps, payload, fencingToken, run), timelines.read(jobId)]);
  const started = await startedOrRepublished(deps, payload, writer, row, claim.lastSeq);
  if (started === null) return null;
  // A Redis that lost its last second may know of fewer attempts than the row.
  const attempt = Math.max(claim.attempts, started.attempt);
  if (attempt > claim.attempts) writer.skipTo(claim.fence + SEQ_SKIP_PER_ATTEMPT);
  // Cancelled before its first attempt: publish nothing. Cancelled after one: publish `reset` to clear what clients
  // show.
  const isResumed = started.wasSuspended && !run.signal.aborted;
  if (attempt > 1 || !run.signal.aborted) publishStart(payload, { attempt, isResumed }, writer);
  const earlier = fullerTimeline(left, parseTimeline(started.timeline));
  const timeline = timelines.begin({ jobId, fencingToken, attempt, earlier });
  return { attempt, firstStartedAt: started.firstStartedAt, writer, row: WRITTEN, timeline };
}

/**
 * Writes the start however long the database is out, with the claim that the attempt has. The run is aborted with the
 * first outage that outlasts the patience of writes.
 */
async function startRow(
  { jobs, stored }: StartDeps,
  payload: JobPayload,
  fencingToken: number,
  run: RunControl,
): Promise<StartedJob> {
  for (;;) {
    try {
      const started = await unlessStopped(run, jobs.start(payload, fencingToken));
      // Behind the row, so that lists find the job in one of the two; nothing waits for it. What ends now leaves then.
      if (!run.isOver) void stored.leaveIndex(payload);
      return started;
    } catch (error) {
      if (!(error instanceof StorageOutage)) throw error;
      run.fail(error);
    }
  }
}

const signalsOf = (run: RunControl) => ({
  refused: () => run.abort("superseded"),
  cancelRequested: () => run.abort("cancelled"),
});

/** Null: the row is terminal, and its end is published again. */
async function startedOrRepublished(
  { finalizer, claims }: StartDeps,
  payload: JobPayload,
  writer: JobEventWriter,
  started: StartedJob,
  lastSeq: number,
): Promise<(StartedJob & { kind: "started" }) | null> {
  if (started.kind === "started") return started;
  if (started.kind === "stale") {
    await claims.closeAttempt(payload.job_id);
    throw new ClaimedElsewhere();
  }
  await finalizer.republishEnd(payload, writer, started.row, lastSeq);
  return null;
}

type Beginning = { readonly attempt: number; readonly isResumed?: boolean };

/**
 * The first events of an attempt; `reset` tells clients to drop what an earlier attempt wrote. So does that of a job
 * that goes on: its agent writes again what it had written, from the journal.
 */
function publishStart(payload: JobPayload, { attempt, isResumed = false }: Beginning, writer: JobEventWriter): void {
  const texts = STATUS_TEXTS[payload.locale];
  if (attempt > 1) {
    const content = isResumed ? texts.goingOn : texts.startingOver(attempt);
    const data = { content, type: "retry", attempt, ...(isResumed && { resumed: true }) } as const;
    writer.append({ event: "thought", data });
    writer.append({ event: "message", data: { content: "", type: "reset" } });
  } else {
    writer.append({ event: "thought", data: { content: texts.processing(payload.agent_type), type: "status" } });
  }
}
