/**
 * One step of a plan: the child is run, and its events are told. A failure is an outcome, which the plan handles; only what
 * ends the whole job (cancel, time, budget, a lost job) is thrown. Upholds I5: a finished child is not run again.
 */
import type { JobError } from "@agent-paas/shared/contract/jobs.ts";
import { ERROR_CODES, type ErrorCode } from "@agent-paas/shared/errors/codes.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { AgentContext } from "../agent/agent.ts";
import { AGENT_TEXTS } from "../agent/agent-texts.ts";
import type { ChildOutcome, ChildRequest } from "../agent/delegation.ts";
import { type AgentEvent, thought } from "../agent/events.ts";
import type { PlanStep } from "./plan.ts";
import type { StepOutcome } from "./results.ts";

export type StepContext = Pick<AgentContext<unknown>, "agents" | "journal" | "locale" | "logger" | "signal">;

const MAX_SHOWN_CHARS = 2_000;
/** A longer outcome is not kept: the child finds its own steps when it is run again. */
const MAX_KEPT_CHARS = 512 * 1024;

export async function* runStep(
  step: PlanStep,
  task: string,
  context: StepContext,
): AsyncGenerator<AgentEvent, StepOutcome> {
  const { id, agent, input, config } = step;
  const child: ChildRequest = { name: id, agent, task, input, config };
  const kept = await context.journal.begin({ kind: "delegate", input: child, idempotent: true });
  if (kept.state === "finished") {
    const outcome = kept.value as StepOutcome;
    yield tellEnd(step, outcome, true, context);
    return outcome;
  }
  yield tell(step, "started", AGENT_TEXTS[context.locale].stepStarted(id, agent));
  const outcome = yield* runTwice(step, child, context);
  const isFinal = outcome.status === "completed" || !isPassing(outcome.error);
  if (kept.state === "new" && isFinal && JSON.stringify(outcome).length <= MAX_KEPT_CHARS) await kept.finish(outcome);
  yield tellEnd(step, outcome, false, context);
  return outcome;
}

/** A passing fault gets a second try at once; it resumes the first, whose steps are in the journal under the child's name. */
async function* runTwice(
  step: PlanStep,
  child: ChildRequest,
  context: StepContext,
): AsyncGenerator<AgentEvent, StepOutcome> {
  for (let again = true; ; again = false) {
    try {
      const { content, data, citations } = yield* runChild(step, child, context);
      // What JSON cannot hold is the child's fault, and known now.
      return JSON.parse(JSON.stringify({ status: "completed", content, data, citations }));
    } catch (error) {
      context.signal.throwIfAborted();
      const failure = describe(error);
      if (!(error instanceof PlatformError)) context.logger.warn({ err: error, step: step.id }, "a step failed");
      if (!again || !(error instanceof PlatformError && error.retryable)) return { status: "failed", error: failure };
      yield tell(step, "retrying", AGENT_TEXTS[context.locale].stepRetrying(step.id, failure), { error: failure });
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
      // For people who read thoughts line by line; the child's text they get with its end.
      const content = event.event === "thought" ? `${step.id}: ${event.data.content}` : "";
      yield tell(step, "event", content, { event });
    }
  } finally {
    await events.return(undefined as never);
  }
}

export type ToldStatus = "started" | "event" | "completed" | "failed" | "skipped" | "retrying";

export const tell = (
  { id, agent }: PlanStep,
  status: ToldStatus,
  content: string,
  extra: Readonly<Record<string, unknown>> = {},
): AgentEvent => thought("delegate", content, { step: id, agent, status, ...extra });

function tellEnd(step: PlanStep, outcome: StepOutcome, replayed: boolean, { locale }: StepContext): AgentEvent {
  const texts = AGENT_TEXTS[locale];
  const { status } = outcome;
  const mark = replayed ? { replayed } : {};
  if (status === "failed") {
    const { error } = outcome;
    return tell(step, status, texts.stepFailed(step.id, error), { error, ...mark });
  }
  const result = outcome.content.slice(0, MAX_SHOWN_CHARS).toWellFormed();
  return tell(step, status, texts.stepCompleted(step.id), { result, ...mark });
}

/** A failure that a later try may not meet. */
export const isPassing = ({ code }: JobError): boolean => ERROR_CODES[code as ErrorCode]?.retryable ?? false;

/** The words of an error that is none of ours stay inside. */
function describe(error: unknown): JobError {
  const { code, message } = error instanceof PlatformError ? error : new PlatformError("agent_failed");
  return { code, message };
}
