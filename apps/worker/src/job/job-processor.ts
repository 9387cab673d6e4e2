/**
 * The story of one job: wait for its turn, begin it, run the agent, write and tell its end.
 *
 * Upholds, with the parts it calls:
 * - I1: every path ends the job, gives it back, or leaves it to the attempt that owns it.
 * - I4: the claim fences events, the row's attempt fences writes; a refusal stops the run silently.
 * - I6: nothing of a job happens before it is its session's turn.
 * - I7: only a cancel request cancels.
 */
import { budgetExhausted } from "@agent-paas/agents/job/budget.ts";
import type { ThoughtEvent } from "@agent-paas/shared/contract/events.ts";
import { type JobPayload, JobPayloadSchema } from "@agent-paas/shared/contract/jobs.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { failpoint } from "@agent-paas/shared/lifecycle/failpoints.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import { MINUTE, SECOND } from "@agent-paas/shared/time.ts";
import { DelayedError, type Job, UnrecoverableError } from "bullmq";
import type { JobEventPublisher } from "../events/job-event-publisher.ts";
import { NO_SIGNALS, SEQ_SKIP_PER_ATTEMPT } from "../events/job-event-writer.ts";
import { STATUS_TEXTS } from "../events/status-texts.ts";
import type { OrphanFinalizer } from "../recovery/orphan-finalizer.ts";
import { type AgentRunner, type Answer, resultOf } from "../run/agent-runner.ts";
import type { JobRepository } from "../storage/job-repository.ts";
import { classifyOutcome, type Failure } from "./classify-outcome.ts";
import type { JobClaims } from "./job-claims.ts";
import { type JobEnding, type JobFinalizer, NO_RESULT } from "./job-finalizer.ts";
import { judgeSuspect, type Suspicion } from "./poison-jobs.ts";
import { requeue } from "./requeue.ts";
import { RetryLater, retryDelayMs } from "./retry-delay.ts";
import type { Run, RunningJobs } from "./running-jobs.ts";
import type { SessionQueue } from "./session-queue.ts";
import { type StartedAttempt, startJob } from "./start-job.ts";

export type ProcessorDeps = {
  readonly turns: SessionQueue;
  readonly claims: JobClaims;
  readonly running: RunningJobs;
  readonly publisher: JobEventPublisher;
  readonly jobs: JobRepository;
  readonly runner: AgentRunner;
  readonly finalizer: JobFinalizer;
  readonly unowned: OrphanFinalizer;
  readonly logger: Logger;
  /** Time limit of one attempt, ms. */
  readonly deadlineMs: number;
};

/** How long a job waits for a worker that has its agent, and how often it is offered meanwhile. */
const AGENT_WAIT_MS = 5 * MINUTE;
const AGENT_LOOK_AGAIN_MS = SECOND;

type JobProcessor = (job: Job, token?: string) => Promise<void>;

export function createJobProcessor(deps: ProcessorDeps): JobProcessor {
  const { turns, claims, running, jobs } = deps;

  return async (job, token) => {
    const payload = parsePayload(job);
    if (!deps.runner.offers(payload.agent_type)) await yieldToCapableWorker(job, token ?? "", payload);
    const attempt = job.attemptsStarted;
    const logger = deps.logger.child({ job_id: payload.job_id, request_id: payload.request_id, attempt });

    await turns.takeOrPark(job, token ?? "", payload, (ahead) => publishQueued(deps, payload, attempt, ahead));
    const suspicion = await judgeSuspect(job, payload.job_id, claims, jobs);
    if (suspicion.kind === "apart") await startApart(deps, job, token ?? "", payload, suspicion);
    if (suspicion.kind === "given_up") {
      logger.error("job lost its workers too often and is given up");
      const error = new PlatformError("worker_lost");
      const isEnded = await deps.unowned.end(job, { status: "failed", error, ...NO_RESULT });
      if (isEnded || (await claims.endPublication(payload.job_id)) === "published") return;
      throw new RetryLater("claimed elsewhere", retryDelayMs(1, null));
    }
    await running.during(payload.job_id, async (run) => {
      const begun = await startJob(deps, payload, attempt, run);
      if (begun === null) return;
      logger.debug("job started");
      await runToEnd({ ...{ deps, job, token: token ?? "", payload, run, logger }, ...begun });
    });
    failpoint("before_completion", payload.job_id);
  };
}

type StartedJob = StartedAttempt & {
  readonly deps: ProcessorDeps;
  readonly job: Job;
  readonly token: string;
  readonly payload: JobPayload;
  readonly run: Run;
  readonly logger: Logger;
};

async function runToEnd(started: StartedJob): Promise<void> {
  const { deps, job, payload, attempt, run, writer, logger } = started;
  const { deadlineMs } = deps;
  const { answer, run: runAgent } = deps.runner.prepare({
    ...{ payload, attempt, run, writer, logger, deadlineMs },
  });
  const timers = startDeadlines(started);
  const startedAt = performance.now();
  try {
    run.signal.throwIfAborted();
    await runAgent();
    await deps.finalizer.finalize(payload, writer, { status: "completed", ...broughtBy(answer, startedAt) });
    const { kind, agent_type } = payload;
    logger.info({ status: "completed", kind, agent_type, ms: Math.round(performance.now() - startedAt) }, "job ended");
  } catch (error) {
    const triesLeft = job.attemptsMade + 1 < (job.opts.attempts ?? 1);
    await settleFailure(started, broughtBy(answer, startedAt), classifyOutcome(error, run.signal, triesLeft));
  } finally {
    for (const timer of timers) clearTimeout(timer);
  }
}

/** The platform's deadline is one attempt's, the budget's is the job's. */
function startDeadlines({ deps, payload, firstStartedAt, run }: StartedJob): NodeJS.Timeout[] {
  const timers = [setTimeout(() => run.abort("deadline"), deps.deadlineMs)];
  const { deadline_ms: budgetMs } = payload.limits;
  if (budgetMs !== undefined) {
    const leftMs = firstStartedAt + budgetMs - Date.now();
    const expire = () => run.fail(budgetExhausted("deadline_ms", budgetMs));
    // At once: an agent that keeps the thread busy would not let a timer run.
    if (leftMs <= 0) expire();
    else timers.push(setTimeout(expire, leftMs));
  }
  return timers;
}

/** Says once, in the job's own log, that its session is busy with earlier jobs. */
async function publishQueued(deps: ProcessorDeps, payload: JobPayload, attempt: number, ahead: number): Promise<void> {
  if (attempt > 1) return;
  const content = STATUS_TEXTS[payload.locale].queued(ahead);
  await tell(deps, payload, attempt, { content, type: "queued", position: ahead });
}

/** Parks the job so that it starts apart from others. Always throws the error by which BullMQ knows that. */
async function startApart(
  deps: ProcessorDeps,
  job: Job,
  token: string,
  payload: JobPayload,
  { lost, pauseMs }: Suspicion & { kind: "apart" },
): Promise<never> {
  const content = STATUS_TEXTS[payload.locale].startingApart(lost, Math.ceil(pauseMs / SECOND));
  await tell(deps, payload, job.attemptsStarted, { content, type: "status", delay_ms: pauseMs });
  await deps.claims.setApart(payload.job_id, lost);
  await job.moveToDelayed(Date.now() + pauseMs, token);
  throw new DelayedError();
}

/** Says something in the log of a job that is not begun. */
async function tell(
  deps: ProcessorDeps,
  { job_id }: JobPayload,
  attempt: number,
  data: ThoughtEvent["data"],
): Promise<void> {
  const claim = await deps.claims.claim(job_id, attempt, false);
  if (claim.kind !== "claimed") return;
  const writer = deps.publisher.open(job_id, attempt, claim.seq, NO_SIGNALS);
  if (claim.attempts > 0) writer.skipTo(claim.seq + SEQ_SKIP_PER_ATTEMPT);
  writer.append({ event: "thought", data });
  await writer.flushed();
}

async function settleFailure(started: StartedJob, partial: Brought, failure: Failure): Promise<void> {
  const { deps, job, token, payload, run, writer, logger } = started;
  switch (failure.kind) {
    case "cancelled":
      await deps.finalizer.finalize(payload, writer, { status: "cancelled", ...partial });
      logger.info({ status: "cancelled" }, "job ended");
      return;
    case "failed":
      logFailure(logger, failure.error);
      await deps.finalizer.finalize(payload, writer, { status: "failed", error: failure.error, ...partial });
      return;
    case "retry": {
      const delayMs = retryDelayMs(job.attemptsMade + 1, failure.error);
      logger.warn({ code: failure.error.code, err: failure.error, delay_ms: delayMs }, "job will be tried again");
      const content = STATUS_TEXTS[payload.locale].retryingIn(Math.ceil(delayMs / 1_000));
      const data = { content, type: "status", code: failure.error.code, delay_ms: delayMs } as const;
      writer.append({ event: "thought", data });
      await writer.flushed();
      // The reply may have brought a cancel request: that ends the job now, not at its next attempt.
      if (run.signal.aborted) return settleFailure(started, partial, classifyOutcome(null, run.signal, false));
      await deps.claims.closeAttempt(payload.job_id);
      throw new RetryLater(failure.error.code, delayMs);
    }
    case "requeued":
      logger.info("job handed back");
      writer.append({
        event: "thought",
        data: { content: STATUS_TEXTS[payload.locale].handedOver, type: "status" },
      });
      await writer.flushed();
      await deps.claims.closeAttempt(payload.job_id);
      return requeue(job, token);
    case "superseded":
      logger.warn("job belongs to another attempt by now, stopped");
      await deps.claims.closeAttempt(payload.job_id);
      throw new Error("superseded");
  }
}

/** What the request itself is to blame for is no warning to the operator. */
function logFailure(logger: Logger, error: PlatformError): void {
  const fields = { status: "failed", code: error.code };
  if (error.status < 500) logger.info({ ...fields, reason: error.message }, "job ended");
  else logger.warn({ ...fields, err: error }, "job ended");
}

type Brought = Pick<JobEnding, "result" | "resultTokens" | "usage" | "executionMs">;

const broughtBy = (answer: Answer, startedAt: number): Brought => ({
  result: resultOf(answer),
  resultTokens: answer.tokens(),
  usage: answer.usage(),
  executionMs: Math.round(performance.now() - startedAt),
});

/**
 * A worker may lack an agent that another one offers (a rollout, a folder of its own). Gives the job back for the others,
 * without using up a try: at first at once, which hands it to whoever has waited longest, then after a pause, so that it
 * does not go round and round; after a while nobody seems to have it, and the job may fail.
 */
async function yieldToCapableWorker(job: Job, token: string, payload: JobPayload): Promise<void> {
  if (Date.now() - Date.parse(payload.accepted_at) > AGENT_WAIT_MS) return;
  if (job.attemptsStarted % 2 === 1) await requeue(job, token);
  await job.moveToDelayed(Date.now() + AGENT_LOOK_AGAIN_MS, token);
  throw new DelayedError();
}

function parsePayload(job: Job): JobPayload {
  const parsed = JobPayloadSchema.safeParse(job.data);
  if (parsed.success) return parsed.data;
  throw new UnrecoverableError("job_invalid");
}
