/**
 * The life of one job in a worker: admit → start → run → settle.
 *
 * Upholds, with the parts it calls:
 * - I1: every path finalizes the job, gives it back to the queue, or leaves it to the fencing token that owns it.
 * - I4: the claim fences events, the row's fencing token fences writes; a refusal stops the run silently.
 * - I6: nothing of a job happens before it is the head of its session's queue.
 * - I7: only a cancel request cancels.
 */
import { Suspended } from "@agent-paas/agents/job/inquiries.ts";
import type { JobPayload } from "@agent-paas/shared/contract/jobs.ts";
import { StorageOutage } from "@agent-paas/shared/db/storage-outage.ts";
import { failpoint } from "@agent-paas/shared/lifecycle/failpoints.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import { emit } from "@agent-paas/shared/telemetry/telemetry.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import { UnrecoverableError } from "bullmq";
import type { AgentRunner } from "../run/agent-runner.ts";
import { classifyOutcome } from "../run/classify-outcome.ts";
import { ProcessStopped } from "../run/run-control.ts";
import type { SuspensionRepository } from "../storage/suspension-repository.ts";
import { admit } from "./admit.ts";
import { type AdmissionDeps, applyAdmission } from "./apply-admission.ts";
import { startDeadlines } from "./deadlines.ts";
import { gatherFacts } from "./job-facts.ts";
import type { Lease, LeaseProcessor } from "./lease.ts";
import type { OwnerSlots } from "./owner-slots.ts";
import { ClaimedElsewhere } from "./retry-delay.ts";
import type { RunningJobs } from "./running-jobs.ts";
import { type Attempt, type SettleDeps, settle } from "./settle.ts";
import { type StartDeps, startAttempt } from "./start-attempt.ts";
import { parsePayload, parseQueued, type StoredPayloads } from "./stored-payloads.ts";

/** The delay of a job whose facts could not be read for as long as reads wait for the database. */
const OUTAGE_RECHECK_MS = 5 * SECOND;

export type ProcessorDeps = AdmissionDeps &
  StartDeps &
  SettleDeps & {
    readonly suspendedRows: Pick<SuspensionRepository, "isWaiting">;
    readonly running: RunningJobs;
    readonly ownerSlots: OwnerSlots;
    readonly runner: AgentRunner;
    readonly stored: Pick<StoredPayloads, "read" | "leaveIndex">;
    readonly logger: Logger;
  };

export function createJobProcessor(deps: ProcessorDeps): LeaseProcessor {
  return async (lease) => {
    try {
      await processJob(deps, lease);
    } catch (error) {
      // Not the job's fault, so no retry is used up.
      if (error instanceof ClaimedElsewhere) return lease.delay(error.delayMs);
      if (error instanceof StorageOutage) return lease.delay(OUTAGE_RECHECK_MS);
      throw error;
    }
  };
}

async function processJob(deps: ProcessorDeps, lease: Lease): Promise<void> {
  const queued = parseQueued(lease.payload);
  if (queued === null) throw new UnrecoverableError("job_invalid");
  const ids = { job_id: queued.job_id, request_id: queued.request_id, fencing_token: lease.fencingToken };
  const logger = deps.logger.child(ids);

  await deps.ownerSlots.during(queued.owner, (isWithinPart) => admitAndRun(deps, lease, queued, isWithinPart, logger));
}

async function admitAndRun(
  deps: ProcessorDeps,
  lease: Lease,
  queued: JobPayload,
  isWithinPart: boolean,
  logger: Logger,
): Promise<void> {
  const { fencingToken } = lease;
  const admission = admit(await gatherFacts(deps, queued, fencingToken, isWithinPart));
  if (admission.kind !== "start") return applyAdmission(deps, lease, queued, admission, logger);
  const payload = await readPayload(deps, lease);
  if (payload === null) return;

  await deps.running.during(payload.job_id, fencingToken, async (run) => {
    try {
      const started = await startAttempt(deps, payload, fencingToken, run);
      if (started === null) return;
      const queueMs = deps.clock.now() - Date.parse(payload.accepted_at);
      const attempt: Attempt = { ...started, lease, payload, run, logger, queueMs };
      reportStart(attempt);
      await runToEnd(deps, attempt);
    } catch (error) {
      if (!(error instanceof ProcessStopped)) throw error;
      await deps.claims.closeAttempt(payload.job_id);
      return lease.requeue();
    }
  });
  failpoint("before_completion", payload.job_id);
}

async function runToEnd(deps: ProcessorDeps, attempt: Attempt): Promise<void> {
  const { lease, payload, run, writer, logger } = attempt;
  const { row } = attempt;
  const prepared = deps.runner.prepare({
    ...{ payload, attempt: attempt.attempt, run, writer, logger, row, deadlineMs: deps.deadlineMs },
    steps: attempt.timeline.steps,
  });
  const deadlines = startDeadlines(deps.deadlineMs, attempt, deps.clock.now);
  try {
    run.signal.throwIfAborted();
    await prepared.run();
    // An agent may have caught the error that tells it.
    if (prepared.openInquiries().length > 0) throw new Suspended();
    await settle(deps, attempt, { kind: "completed" }, prepared.result());
  } catch (error) {
    if (error instanceof ProcessStopped) {
      await attempt.timeline.leave("requeued");
      throw error;
    }
    if (!(await row)) return;
    const outcome = classifyOutcome(error, run.signal, lease.retriesLeft, prepared.openInquiries());
    await settle(deps, attempt, outcome, prepared.result());
  } finally {
    deadlines.clear();
    attempt.timeline.close();
  }
}

function reportStart({ payload, attempt, queueMs, logger }: Attempt): void {
  const { job_id, kind, agent_type, owner, traceparent } = payload;
  logger.debug({ attempt, queue_ms: queueMs }, "job started");
  emit("job.started", { job_id, kind, agent_type, owner, traceparent, attempt, queue_ms: queueMs });
}

/** The whole payload; null if the job has ended, since what was stored for it is gone then. */
async function readPayload({ stored, claims }: ProcessorDeps, { payload, jobId }: Lease): Promise<JobPayload | null> {
  const parsed = parsePayload(await stored.read(payload));
  if (parsed !== null) return parsed;
  if ((await claims.endPublication(jobId)) === "published") return null;
  throw new UnrecoverableError("job_invalid");
}
