/**
 * Runs a plan. A step starts when the steps that it depends on have ended, with at most `fanOut` steps at once; events
 * are yielded as they arrive. However the plan ends, no child keeps running: all are stopped and closed before this
 * returns.
 */
import type { ErrorCode } from "@agent-paas/shared/errors/codes.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { AGENT_TEXTS } from "../agent/agent-texts.ts";
import { type AgentEvent, progress } from "../agent/events.ts";
import { Suspended } from "../job/inquiries.ts";
import { createMerge } from "./merge.ts";
import type { Plan, PlanStep } from "./plan.ts";
import { type StepOutcome, type StepResult, taskWith } from "./results.ts";
import { isRetryable, runStep, type StepContext, stepThought } from "./run-step.ts";

/**
 * Returns the outcome of every step, in the plan's order. Throws when a step with `on_failure: stop` fails, or when all
 * steps have failed: the code is that of the first failure if all failures are retryable, so that the job is retried,
 * and else `delegation_failed`. Throws what ends the whole job as it is, and `Suspended` when a step waits for a
 * person.
 */
export async function* runPlan(
  { steps }: Plan,
  fanOut: number,
  context: StepContext,
): AsyncGenerator<AgentEvent, readonly StepResult[]> {
  const texts = AGENT_TEXTS[context.locale];
  const stop = new AbortController();
  const signal = AbortSignal.any([context.signal, stop.signal]);
  const waiting = new Set(steps);
  const outcomes = new Map<string, StepOutcome>();
  const running = createMerge<PlanStep, AgentEvent, StepOutcome | "suspended">();
  let isSuspended = false;
  const resultsOf = (ids: readonly string[]): StepResult[] =>
    steps.flatMap((step) => {
      const outcome = ids.includes(step.id) ? outcomes.get(step.id) : undefined;
      return outcome === undefined ? [] : [{ step, outcome }];
    });

  function startReady(): void {
    for (const step of waiting) {
      if (running.size >= fanOut) return;
      if (!step.depends_on.every((id) => outcomes.has(id))) continue;
      waiting.delete(step);
      running.add(step, runStep(step, taskWith(step.task, resultsOf(step.depends_on)), { ...context, signal }));
    }
  }

  try {
    for (startReady(); running.size > 0; ) {
      const arrival = await running.next();
      if (!arrival.done) {
        yield arrival.value;
        continue;
      }
      const { key: step, value: outcome } = arrival;
      if (outcome === "suspended") {
        // The steps beside it go on, and may ask as well; those that build on it wait.
        isSuspended = true;
        startReady();
        continue;
      }
      outcomes.set(step.id, outcome);
      if (outcome.status === "failed" && step.on_failure === "stop") {
        for (const left of steps.filter(({ id }) => !outcomes.has(id))) {
          yield stepThought(left, "skipped", texts.stepSkipped(left.id, step.id));
        }
        throw delegationFailed([{ step, outcome }]);
      }
      startReady();
      // One part of the progress is reserved for the answer.
      yield progress(outcomes.size / (steps.length + 1), texts.stepsEnded(outcomes.size, steps.length));
    }
  } finally {
    stop.abort();
    await running.close();
  }
  if (isSuspended) throw new Suspended();
  const results = resultsOf(steps.map(({ id }) => id));
  if (results.every(({ outcome }) => outcome.status === "failed")) throw delegationFailed(results);
  return results;
}

const MAX_NAMED_CAUSES = 4;

function delegationFailed(results: readonly StepResult[]): PlatformError {
  const causes = results.flatMap(({ step: { id, agent }, outcome }) =>
    outcome.status === "failed"
      ? [`step "${id}" (${agent}) failed: ${outcome.error.code}: ${outcome.error.message}`]
      : [],
  );
  const errors = results.flatMap(({ outcome }) => (outcome.status === "failed" ? [outcome.error] : []));
  const code = errors.every(isRetryable) ? (errors[0]?.code as ErrorCode) : "delegation_failed";
  return new PlatformError(code, { message: causes.slice(0, MAX_NAMED_CAUSES).join("; ") });
}
