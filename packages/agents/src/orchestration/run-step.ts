/**
 * One step of a plan: runs the child and wraps its events into `delegate` thoughts. A failure is an outcome, which the
 * plan handles; this throws only what ends the whole job (cancel, deadline, budget, a superseded run). Upholds I5: a
 * finished child is not run again.
 */

import type { JobError } from "@agent-paas/shared/contract/jobs.ts";
import type { MessagePart } from "@agent-paas/shared/contract/message-parts.ts";
import { ERROR_CODES, type ErrorCode } from "@agent-paas/shared/errors/codes.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { parseJson } from "@agent-paas/shared/json/exact-json.ts";
import { cutText } from "@agent-paas/shared/text.ts";
import type { AgentContext } from "../agent/agent.ts";
import { AGENT_TEXTS } from "../agent/agent-texts.ts";
import type { ChildOutcome, ChildRequest } from "../agent/delegation.ts";
import { type AgentEvent, thought } from "../agent/events.ts";
import { Suspended } from "../job/inquiries.ts";
import type { PlanStep } from "./plan.ts";
import type { StepOutcome } from "./results.ts";

export type StepContext = Pick<AgentContext<unknown>, "agents" | "journal" | "locale" | "logger" | "signal"> & {
  /** What every step's agent gets with its task. */
  readonly attached: readonly MessagePart[];
};

const MAX_SHOWN_CHARS = 2_000;
/** A longer outcome is not kept. The child then runs again, and finds its own journal entries. */
const MAX_KEPT_CHARS = 512 * 1024;

export async function* runStep(
  step: PlanStep,
  task: string,
  context: StepContext,
): AsyncGenerator<AgentEvent, StepOutcome | "suspended"> {
  const { id, agent, input, config } = step;
  const child = { name: id, agent, task, input, config };
  const kept = await context.journal.begin({ kind: "delegate", input: child, idempotent: true });
  if (kept.state === "finished") {
    const outcome = kept.value as StepOutcome;
    yield endThought(step, outcome, true, context);
    return outcome;
  }
  yield stepThought(step, "started", AGENT_TEXTS[context.locale].stepStarted(id, agent));
  const outcome = yield* runWithRetry(step, { ...child, parts: context.attached }, context);
  if (outcome === "suspended") return outcome;
  const isFinal = outcome.status === "completed" || !isRetryable(outcome.error);
  if (kept.state === "new" && isFinal && JSON.stringify(outcome).length <= MAX_KEPT_CHARS) await kept.finish(outcome);
  yield endThought(step, outcome, false, context);
  return outcome;
}

/**
 * Runs the child again at once after a retryable failure. The second run has the child's name, so it finds the journal
 * entries that the first run finished.
 */
async function* runWithRetry(
  step: PlanStep,
  child: ChildRequest,
  context: StepContext,
): AsyncGenerator<AgentEvent, StepOutcome | "suspended"> {
  for (let mayRetry = true; ; mayRetry = false) {
    try {
      const { content, data, citations, finishReason } = yield* runChild(step, child, context);
      // A value that JSON cannot hold fails the child here, and not the write to the journal later.
      return parseJson(JSON.stringify({ status: "completed", content, data, citations, finishReason })) as StepOutcome;
    } catch (error) {
      context.signal.throwIfAborted();
      if (error instanceof Suspended) return "suspended";
      const failure = describe(error);
      if (!(error instanceof PlatformError)) context.logger.warn({ err: error, step: step.id }, "a step failed");
      if (!mayRetry || !(error instanceof PlatformError && error.retryable))
        return { status: "failed", error: failure };
      yield stepThought(step, "retrying", AGENT_TEXTS[context.locale].stepRetrying(step.id, failure), {
        error: failure,
      });
    }
  }
}

async function* runChild(
  step: PlanStep,
  child: ChildRequest,
  { agents, signal }: StepContext,
): AsyncGenerator<AgentEvent, ChildOutcome> {
  const events = agents.run(child, signal);
  try {
    for (;;) {
      const next = await events.next();
      if (next.done) return next.value;
      const event = next.value;
      // People read thoughts line by line; they get the child's whole text when it ends.
      const content = event.event === "thought" ? `${step.id}: ${event.data.content}` : "";
      yield stepThought(step, "event", content, { event });
    }
  } finally {
    await events.return(undefined as never);
  }
}

export type StepStatus = "started" | "event" | "completed" | "failed" | "skipped" | "retrying";

export const stepThought = (
  { id, agent }: PlanStep,
  status: StepStatus,
  content: string,
  extra: Readonly<Record<string, unknown>> = {},
): AgentEvent => thought("delegate", content, { step: id, agent, status, ...extra });

function endThought(step: PlanStep, outcome: StepOutcome, replayed: boolean, { locale }: StepContext): AgentEvent {
  const texts = AGENT_TEXTS[locale];
  const { status } = outcome;
  const mark = replayed ? { replayed } : {};
  if (status === "failed") {
    const { error } = outcome;
    return stepThought(step, status, texts.stepFailed(step.id, error), { error, ...mark });
  }
  const result = cutText(outcome.content, MAX_SHOWN_CHARS);
  const { finishReason: finish_reason = null } = outcome;
  return stepThought(step, status, texts.stepCompleted(step.id), { result, finish_reason, ...mark });
}

/** Whether a later try may succeed. */
export const isRetryable = ({ code }: JobError): boolean => ERROR_CODES[code as ErrorCode]?.retryable ?? false;

/** The message of an error that is no `PlatformError` may hold secrets, so it is replaced. */
function describe(error: unknown): JobError {
  const { code, message } = error instanceof PlatformError ? error : new PlatformError("agent_failed");
  return { code, message };
}
