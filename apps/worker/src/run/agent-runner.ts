/** Runs the agent, or the system job, of one attempt. */

import type { AgentContext, AgentRun } from "@agent-paas/agents/agent/agent.ts";
import { finishReasonOf } from "@agent-paas/agents/agent/answer-end.ts";
import { createAsk } from "@agent-paas/agents/agent/ask.ts";
import { createAgentJournal } from "@agent-paas/agents/job/agent-journal.ts";
import { createBudget } from "@agent-paas/agents/job/budget.ts";
import { NO_STEPS, type Steps } from "@agent-paas/agents/job/steps.ts";
import { createJournaledModel } from "@agent-paas/agents/model/journaled-model.ts";
import { createTurnWatch } from "@agent-paas/agents/model/last-turn.ts";
import { createMeter } from "@agent-paas/agents/model/meter.ts";
import type { Model, ModelRequest } from "@agent-paas/agents/model/model.ts";
import { createModelChoice, type Fallback, type OfferedModels } from "@agent-paas/agents/model/model-choice.ts";
import type { AgentRegistry } from "@agent-paas/agents/registry/agent-registry.ts";
import type { Toolbox } from "@agent-paas/agents/registry/toolbox.ts";
import type { Retriever } from "@agent-paas/agents/retrieval/retriever.ts";
import { createApprovals } from "@agent-paas/agents/tools/approvals.ts";
import { createJobTools } from "@agent-paas/agents/tools/job-tools.ts";
import type { ClientTool } from "@agent-paas/shared/contract/client-tools.ts";
import type { JobPayload, JobResult } from "@agent-paas/shared/contract/jobs.ts";
import { resolveLimits } from "@agent-paas/shared/contract/limits.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { GrowingText } from "@agent-paas/shared/growing-text.ts";
import { failpoint } from "@agent-paas/shared/lifecycle/failpoints.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import { emit } from "@agent-paas/shared/telemetry/telemetry.ts";
import type { JobEventWriter } from "../events/job-event-writer.ts";
import { STATUS_TEXTS } from "../events/status-texts.ts";
import type { JournalRepository } from "../storage/journal-repository.ts";
import type { SessionRepository } from "../storage/session-repository.ts";
import type { SuspensionRepository } from "../storage/suspension-repository.ts";
import { inputOf } from "./agent-input.ts";
import { type ChildContextRequest, createChildAgents } from "./child-agents.ts";
import { type Answer, consume } from "./consume-run.ts";
import { continuedTurn } from "./continued-turn.ts";
import { asRun } from "./current-run.ts";
import { createFinishedCalls } from "./finished-calls.ts";
import { createJobInquiries } from "./job-inquiries.ts";
import { createJobJournal, type JobJournal } from "./job-journal.ts";
import { openTurnOf } from "./open-turn-of.ts";
import { reportWithin, retrieverWithin } from "./own-steps.ts";
import { parseConfig } from "./parse-config.ts";
import type { RunControl } from "./run-control.ts";
import type { RunResult } from "./run-result.ts";
import type { SystemJobs } from "./system-job.ts";
import type { WorkerCounters } from "./worker-counters.ts";

export type AgentRunnerDeps = {
  readonly models: OfferedModels;
  readonly agents: AgentRegistry;
  readonly toolbox: Toolbox;
  readonly retrieverFor: (owner: string) => Retriever;
  readonly sessions: SessionRepository;
  readonly journal: JournalRepository;
  readonly suspensions: Pick<SuspensionRepository, "decisions">;
  readonly systemJobs: SystemJobs;
  readonly counters: Pick<WorkerCounters, "tokensOf">;
};

export type RunRequest = {
  readonly payload: JobPayload;
  /** From 1. */
  readonly attempt: number;
  readonly run: RunControl;
  readonly writer: JobEventWriter;
  readonly logger: Logger;
  /** Resolves when the job's row says that it runs; until then nothing of the run may be seen outside it. */
  readonly row: Promise<unknown>;
  /** Time limit of the attempt, ms. */
  readonly deadlineMs: number;
  /** Is told of what the run does. Default: nobody. */
  readonly steps?: Steps;
};

const resultOf = ({ content, data, citations }: Answer, end: string | null): JobResult => ({
  content: `${content}`,
  ...(end === null ? {} : { finish_reason: end }),
  ...(data === undefined ? {} : { data }),
  ...(citations === null ? {} : { citations }),
});

export type AgentRunner = ReturnType<typeof createAgentRunner>;

export function createAgentRunner(deps: AgentRunnerDeps) {
  const { agents, systemJobs, sessions } = deps;
  return {
    /** Whether this process can run jobs of the agent, or system jobs of that id. */
    canRun: (agentType: string): boolean => systemJobs.has(agentType) || agents.find(agentType) !== undefined,

    /** Starts nothing yet: `result` can be read however `run` ends. */
    prepare(request: RunRequest) {
      const { payload, run, writer, logger, row } = request;
      const { signal } = run;
      const job = prepareJob(deps, request);
      // Of the job's own agent; its children have their own.
      const turns = createTurnWatch();
      const calls = createFinishedCalls();
      /** Those of the client. */
      let tools: readonly ClientTool[] = [];
      const answer: Answer = {
        ...{ content: new GrowingText(), data: undefined, finishReason: undefined, citations: null, openTurn: null },
        usage: job.usage,
        tokens: () => job.tokensOf(`${answer.content}`),
      };

      async function begin(): Promise<AgentRun> {
        const systemJob = systemJobs.get(payload.agent_type);
        if (systemJob !== undefined) {
          await row;
          signal.throwIfAborted();
          return systemJob(payload, { signal, journal: job.journal, logger });
        }
        const agent = agents.find(payload.agent_type);
        if (agent === undefined) throw new PlatformError("agent_unavailable");
        const config = parseConfig(agent, payload.config);
        const turn = await continuedTurn(payload, sessions, row);
        tools = payload.tools ?? turn?.tools ?? [];
        calls.begin({ continued: turn?.messages ?? [], keepsTurns: tools.length > 0 });
        if (request.attempt > 1) await job.carryOver();
        const { steps = NO_STEPS } = request;
        const part = { part: job.journal, depth: 0, task: payload.text, config, signal, turns, steps };
        const context = {
          ...job.contextOf(part),
          ...{ clientTools: tools.map(toSpec), toolChoice: payload.tool_choice },
        };
        const input = inputOf(payload, sessions, row, turn);
        return new agent().run(input, { ...context, model: calls.watch(context.model) });
      }

      const { job_id: jobId, agent_type: agentType } = payload;
      const identity = { jobId, fencingToken: writer.fencingToken, agentType };
      const startedAt = performance.now();
      return {
        run: () =>
          asRun(identity, async () =>
            consume(await begin(), { signal, writer, row, answer, turns, locale: payload.locale }),
          ).finally(() => job.end()),
        /** What the run has asked people and nobody has decided: the job is suspended once it has ended. */
        openInquiries: job.inquiries.open,
        result: (): RunResult => ({
          result: resultOf(answer, finishReasonOf(answer.finishReason, turns.last())),
          resultTokens: answer.tokens(),
          usage: answer.usage(),
          openTurn: openTurnOf(answer.openTurn, tools, calls),
          calls: calls.list(),
          wholeTurns: calls.wholeTurns(),
          executionMs: Math.round(performance.now() - startedAt),
        }),
      };
    },
  };
}

/** A tool without parameters takes none. */
const toSpec = ({ name, description = "", parameters = { type: "object", properties: {} } }: ClientTool) => ({
  ...{ name, description, parameters },
});

/** Made once: an abort without a reason makes an error with a stack. */
const RUN_ENDED = new DOMException("The run has ended", "AbortError");

type ContextRequest = Omit<ChildContextRequest, "name"> & {
  /** Where the agent's entries of the journal are kept. */
  readonly part: JobJournal;
  /** 0 for the job's own agent. */
  readonly depth: number;
};

/** What all agents of a job share: its budget, its meter, its journal. */
function prepareJob(deps: AgentRunnerDeps, request: RunRequest) {
  const { payload, attempt, run, writer, logger, row, deadlineMs } = request;
  const { job_id: jobId, locale, kind, owner, metadata, session_id: sessionId } = payload;
  const budget = createBudget(resolveLimits(payload.limits, deadlineMs), run.fail);
  const meter = createMeter(budget, {
    onTurn: (turn) => emit("model.turn", { job_id: jobId, ...turn }),
    onTokens: deps.counters.tokensOf({ acceptedAt: payload.accepted_at, attempt }),
  });
  const retriever = deps.retrieverFor(owner);
  const ended = new AbortController();
  const journal = createJobJournal({
    entries: deps.journal,
    jobId,
    fencingToken: writer.fencingToken,
    resumed: attempt > 1,
    row,
    onRefused: () => run.abort("superseded"),
  });
  const inquiries = createJobInquiries(deps.suspensions, jobId, attempt > 1);
  const approve = namesIn(payload.config, "approve");

  const choice = createModelChoice({ models: deps.models, owner, onFallback: tellFallback });

  const chosen: Model = {
    stream(request, signal) {
      failpoint("model_call", jobId);
      return choice.stream(request, signal);
    },
  };

  /** The agent need not know of it. What it yields afterwards waits for the row, too, and is shown behind it. */
  function tellFallback({ failed, code, next }: Fallback): void {
    const content = STATUS_TEXTS[locale].fallingBack(failed, code, next);
    const data = { content, type: "fallback", model: next, instead_of: failed, code } as const;
    row.then(
      () => run.signal.aborted || writer.append({ event: "thought", data }),
      () => {},
    );
  }

  function contextOf({ part, depth, task, config, signal, turns, steps }: ContextRequest): AgentContext<unknown> {
    const { agents, toolbox } = deps;
    const ownInquiries = inquiries.within(part);
    const beginTurn = ({ model }: ModelRequest) => steps.begin({ kind: "model", name: deps.models.find(model).name });
    return {
      jobId,
      owner,
      kind,
      sessionId,
      task,
      attempt,
      config,
      metadata,
      // The journal is outside the meter, so a turn that is replayed from it is not counted again.
      model: createJournaledModel(meter.wrap(chosen, turns, beginTurn), part, {
        keepAll: depth > 0,
        watch: turns,
        choice,
      }),
      tools: createJobTools({
        ...{ toolbox, budget, retriever, logger, jobId, sessionId, owner, steps },
        ended: ended.signal,
        journal: part,
        approvals: createApprovals(ownInquiries, approve),
        collection: collectionOf(config),
      }),
      retriever: retrieverWithin(steps, retriever),
      usage: { report: reportWithin(steps, meter.report) },
      journal: createAgentJournal(part, signal, steps),
      // Those of the request are for the job's own agent.
      clientTools: [],
      budget,
      ask: createAsk(ownInquiries),
      agents: createChildAgents({
        kind,
        depth,
        signal,
        locale,
        steps,
        find: agents.find,
        manifests: () => agents.manifests(toolbox),
        contextOf: ({ name, ...child }) => contextOf({ ...child, part: part.within(name), depth: depth + 1 }),
      }),
      locale,
      signal,
      logger,
    };
  }

  /** Counts what earlier attempts of the job used. */
  async function carryOver(): Promise<void> {
    const used = await journal.used();
    meter.carryOver(used.usage);
    budget.carryOver(used.budget);
  }

  const end = () => ended.abort(RUN_ENDED);
  return { contextOf, journal, inquiries, carryOver, end, usage: meter.usage, tokensOf: meter.tokensOf };
}

/** The collection that knowledge tools search: the field `collection` of the config. */
function collectionOf(config: unknown): string | null {
  const named = (config as { collection?: unknown } | null)?.collection;
  return typeof named === "string" ? named : null;
}

/** The texts of a list in the config. */
function namesIn(config: JobPayload["config"], field: string): string[] {
  const { [field]: names } = config;
  return Array.isArray(names) ? names.filter((name) => typeof name === "string") : [];
}
