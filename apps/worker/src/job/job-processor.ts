/**
 * The life of one job in a worker: admit → start → run → settle.
 *
 * Upholds, with the parts it calls:
 * - I1: every path finalizes the job, gives it back to the queue, or leaves it to the fencing token that owns it.
 * - I4: the claim fences events, the row's fencing token fences writes; a refusal stops the run silently.
 * - I6: nothing of a job happens before it is the head of its session's queue.
 * - I7: only a cancel request cancels.
 */
import { type JobPayload, JobPayloadSchema } from "@agent-paas/shared/contract/jobs.ts";
import { failpoint } from "@agent-paas/shared/lifecycle/failpoints.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import type { InstallationClock } from "@agent-paas/shared/redis/clock.ts";
import { emit } from "@agent-paas/shared/telemetry/telemetry.ts";
import { UnrecoverableError } from "bullmq";
import type { AgentRunner } from "../run/agent-runner.ts";
import { classifyOutcome } from "../run/classify-outcome.ts";
import { admit } from "./admit.ts";
import { type AdmissionDeps, applyAdmission } from "./apply-admission.ts";
import { startDeadlines } from "./deadlines.ts";
import { gatherFacts } from "./job-facts.ts";
import type { Lease, LeaseProcessor } from "./lease.ts";
import type { RunningJobs } from "./running-jobs.ts";
import { type Attempt, type SettleDeps, settle } from "./settle.ts";
import { type StartDeps, startAttempt } from "./start-attempt.ts";

export type ProcessorDeps = AdmissionDeps &
  StartDeps &
  SettleDeps & {
    readonly running: RunningJobs;
    readonly runner: AgentRunner;
    readonly logger: Logger;
    readonly clock: Pick<InstallationClock, "now">;
    /** Time limit of one attempt, ms. */
    readonly deadlineMs: number;
  };

export function createJobProcessor(deps: ProcessorDeps): LeaseProcessor {
  return async (lease) => {
    const payload = parsePayload(lease);
    const { fencingToken } = lease;
    const ids = { job_id: payload.job_id, request_id: payload.request_id, fencing_token: fencingToken };
    const logger = deps.logger.child(ids);

    const admission = admit(await gatherFacts(deps, payload, fencingToken));
    if (admission.kind !== "start") return applyAdmission(deps, lease, payload, admission, logger);

    await deps.running.during(payload.job_id, async (run) => {
      const started = await startAttempt(deps, payload, fencingToken, run);
      if (started === null) return;
      const queueMs = deps.clock.now() - Date.parse(payload.accepted_at);
      const attempt: Attempt = { ...started, lease, payload, run, logger, queueMs };
      reportStart(attempt);
      await runToEnd(deps, attempt);
    });
    failpoint("before_completion", payload.job_id);
  };
}

async function runToEnd(deps: ProcessorDeps, attempt: Attempt): Promise<void> {
  const { lease, payload, run, writer, logger } = attempt;
  const prepared = deps.runner.prepare({
    ...{ payload, attempt: attempt.attempt, run, writer, logger, deadlineMs: deps.deadlineMs },
  });
  const deadlines = startDeadlines(deps.deadlineMs, attempt, deps.clock.now);
  try {
    run.signal.throwIfAborted();
    await prepared.run();
    await settle(deps, attempt, { kind: "completed" }, prepared.result());
  } catch (error) {
    await settle(deps, attempt, classifyOutcome(error, run.signal, lease.retriesLeft), prepared.result());
  } finally {
    deadlines.clear();
  }
}

function reportStart({ payload, attempt, queueMs, logger }: Attempt): void {
  const { job_id, kind, agent_type, owner, traceparent } = payload;
  logger.debug({ attempt, queue_ms: queueMs }, "job started");
  emit("job.started", { job_id, kind, agent_type, owner, traceparent, attempt, queue_ms: queueMs });
}

function parsePayload({ payload }: Lease): JobPayload {
  const parsed = JobPayloadSchema.safeParse(payload);
  if (parsed.success) return parsed.data;
  throw new UnrecoverableError("job_invalid");
}
