/**
 * The tool calls of one job: every call is parsed, counted against the budget, kept in the journal, and bounded in time
 * and size. Upholds I5: a finished call is not repeated, and a call in doubt only if its tool is idempotent.
 */

import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { withoutAbsentNulls } from "@agent-paas/shared/json/absent-nulls.ts";
import { failpoint } from "@agent-paas/shared/lifecycle/failpoints.ts";
import { emit } from "@agent-paas/shared/telemetry/telemetry.ts";
import { cutText } from "@agent-paas/shared/text.ts";
import type { AgentLogger } from "../job/agent-logger.ts";
import type { SpendableBudget } from "../job/budget.ts";
import { Suspended } from "../job/inquiries.ts";
import type { Journal } from "../job/journal.ts";
import { NO_STEPS, type Steps, statusOfFailure } from "../job/steps.ts";
import { untilAborted } from "../job/until-aborted.ts";
import type { Retriever } from "../retrieval/retriever.ts";
import type { Approvals } from "./approvals.ts";
import { createCallClock } from "./call-clock.ts";
import { type Tool, ToolError } from "./tool.ts";
import type { ToolSelection } from "./tool-source.ts";

export type ToolOutcome = {
  /** `error`: the content describes the failure to the model. `in_doubt`: the call may have taken effect. */
  readonly status: "ok" | "error" | "in_doubt";
  readonly content: string;
  /** Whether the result comes from the journal: an earlier attempt made the call. */
  readonly replayed: boolean;
  readonly durationMs: number;
};

export type JobTools = ToolSelection & {
  /**
   * Makes one call; `args` is the model's own JSON value. A failed call is an outcome. Rejects when the budget is
   * exhausted, the run is aborted, the call waits for a person (`Suspended`), or the tool throws a retryable
   * `PlatformError`.
   */
  call(tool: Tool, args: unknown, signal: AbortSignal): Promise<ToolOutcome>;
};

export type JobToolsDeps = {
  readonly toolbox: ToolSelection;
  readonly budget: SpendableBudget;
  readonly journal: Journal;
  readonly approvals: Approvals;
  readonly retriever: Retriever;
  readonly logger: AgentLogger;
  readonly jobId: string;
  readonly sessionId: string | null;
  readonly owner: string;
  /** Aborts when the run has ended. */
  readonly ended: AbortSignal;
  readonly collection: string | null;
  /** Is told of each call. Default: nobody. */
  readonly steps?: Steps;
};

/** A model that repeats the same call is in a loop; further calls get an error instead of a result. */
const MAX_IDENTICAL_CALLS = 3;

/** Limit for every tool: a journal entry holds 1 MiB, and JSON may write one character as six. */
const MAX_RESULT_CHARS = 150_000;

const IN_DOUBT =
  "It is not known whether this call took effect: the platform broke off during it. It was not made again.";

export function createJobTools(deps: JobToolsDeps): JobTools {
  const { toolbox, budget, journal, approvals, logger, steps = NO_STEPS } = deps;
  const timesCalled = new Map<string, number>();

  async function perform(tool: Tool, args: unknown, callId: string, signal: AbortSignal): Promise<Done> {
    const clock = createCallClock(tool);
    const bound = AbortSignal.any([signal, clock.signal]);
    const { jobId, sessionId, owner, ended, retriever, collection } = deps;
    const { stillWorking } = clock;
    try {
      const job = { jobId, sessionId, owner, ended, retriever, collection };
      const context = { ...job, callId, signal: bound, stillWorking, logger };
      const result = await untilAborted(tool.call(args, context), bound);
      return { status: "ok", content: cut(asText(result), tool.maxResultChars) };
    } catch (error) {
      signal.throwIfAborted();
      if (clock.signal.aborted) return { status: "error", content: timedOut(tool, clock.waitedMs()) };
      if (error instanceof PlatformError && error.retryable) throw error;
      return { status: "error", content: messageFor(error, tool) };
    } finally {
      clock.stop();
    }
  }

  /** The failure as the model reads it. The message of an unknown error may hold secrets, so it is only logged. */
  function messageFor(error: unknown, { name, maxResultChars }: Tool): string {
    if (error instanceof ToolError) return cut(error.message, maxResultChars);
    logger.warn({ err: error, tool: name }, "a tool failed");
    return error instanceof PlatformError ? error.message : "The tool failed.";
  }

  async function call(tool: Tool, given: unknown, signal: AbortSignal): Promise<Outcome> {
    // Models send null for what they leave out.
    const args = withoutAbsentNulls(tool.parameters, given);
    const identity = JSON.stringify([tool.name, args]);
    const times = (timesCalled.get(identity) ?? 0) + 1;
    timesCalled.set(identity, times);
    if (times > MAX_IDENTICAL_CALLS) {
      return failed(`This very call was made ${MAX_IDENTICAL_CALLS} times already. Use its results, or another way.`);
    }
    const parsed = await parse(tool, args, signal);
    if (parsed.problem !== null) return failed(parsed.problem);
    const approved = await approvals.decide(tool, args, parsed.value);
    if (!approved.mayCall) return failed(approved.reason);
    if (!approved.isEdited) return callOnce(tool, args, parsed.value, signal);
    const edited = await parse(tool, approved.args, signal);
    const note = `A person changed the arguments to ${JSON.stringify(approved.args)}.`;
    if (edited.problem !== null) return failed(`${note} ${edited.problem}`);
    const { content, ...outcome } = await callOnce(tool, approved.args, edited.value, signal);
    return { ...outcome, content: `${note}\n${content}` };
  }

  async function parse(tool: Tool, args: unknown, signal: AbortSignal): Promise<Parsed> {
    try {
      const value = await untilAborted(Promise.resolve(tool.parse(args, deps.owner)), signal);
      return { value, problem: null };
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof PlatformError && error.retryable) throw error;
      return { value: undefined, problem: messageFor(error, tool) };
    }
  }

  async function callOnce(tool: Tool, args: unknown, parsed: unknown, signal: AbortSignal): Promise<Outcome> {
    const { idempotent, name } = tool;
    const entry = await journal.begin({ kind: "tool", input: { name, args }, idempotent });
    if (entry.state === "finished") return { ...(entry.value as Done), replayed: true };
    if (entry.state === "in_doubt") return { status: "in_doubt", content: IN_DOUBT, replayed: false };
    // The run may have been aborted meanwhile, and an aborted run must have no effects.
    signal.throwIfAborted();
    budget.takeToolCall();
    failpoint("tool_started", deps.jobId);
    const done = await perform(tool, parsed, entry.id, signal);
    failpoint("effect_done", deps.jobId);
    await entry.finish(done);
    failpoint("journaled", deps.jobId);
    return { ...done, replayed: false };
  }

  return {
    select: toolbox.select,
    async call(tool, args, signal) {
      const startedAt = performance.now();
      const step = steps.begin({ kind: "tool", name: tool.name });
      const report = (status: string): number => {
        const ms = Math.round(performance.now() - startedAt);
        emit("tool.call", { job_id: deps.jobId, tool: tool.name, status, ms });
        return ms;
      };
      try {
        const outcome = await call(tool, args, signal);
        if (outcome.replayed) step.drop();
        else step.end(STEP_STATUSES[outcome.status]);
        return { ...outcome, durationMs: report(outcome.replayed ? "replayed" : outcome.status) };
      } catch (error) {
        step.end(error instanceof Suspended ? "interrupted" : statusOfFailure(signal));
        report("rejected");
        throw error;
      }
    },
  };
}

type Outcome = Omit<ToolOutcome, "durationMs">;

type Parsed = { readonly value: unknown; readonly problem: string | null };

type Done = { readonly status: "ok" | "error"; readonly content: string };

const STEP_STATUSES = { ok: "completed", error: "failed", in_doubt: "in_doubt" } as const;

const failed = (content: string) => ({ status: "error", content, replayed: false }) as const;

const timedOut = ({ idempotent }: Tool, waitedMs: number): string =>
  `The tool did not answer within ${waitedMs / 1_000} s.` +
  `${idempotent ? "" : " It is not known whether the call took effect."}`;

const asText = (result: unknown): string =>
  typeof result === "string" ? result : (JSON.stringify(result) ?? "(no result)");

function cut(text: string, maxResultChars: number): string {
  const maxChars = Math.min(maxResultChars, MAX_RESULT_CHARS);
  if (text.length <= maxChars) return text;
  const kept = cutText(text, maxChars);
  return `${kept}\n[cut: ${text.length - maxChars} more characters]`;
}
