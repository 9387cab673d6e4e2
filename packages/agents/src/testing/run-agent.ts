/**
 * Runs one attempt of an agent as a worker would, without a platform: on the real budget, meter, tools and journaled
 * model, and on strict fakes of what lies outside the process.
 */
import type { ToolChoice } from "@agent-paas/shared/contract/client-tools.ts";
import type { Decision, Inquiry } from "@agent-paas/shared/contract/inquiries.ts";
import type { JobKind, Usage } from "@agent-paas/shared/contract/jobs.ts";
import { resolveLimits } from "@agent-paas/shared/contract/limits.ts";
import type { Locale } from "@agent-paas/shared/contract/locale.ts";
import type { MessagePart } from "@agent-paas/shared/contract/message-parts.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { GrowingText } from "@agent-paas/shared/growing-text.ts";
import { MINUTE } from "@agent-paas/shared/time.ts";
import { z } from "zod";
import type { AgentClass, AgentContext, AgentInput, HistoryMessage } from "../agent/agent.ts";
import { concludeAnswer } from "../agent/answer-end.ts";
import { createAsk } from "../agent/ask.ts";
import type { Agents } from "../agent/delegation.ts";
import { type AgentEvent, type AgentOutcome, applyMessage, assertEvent } from "../agent/events.ts";
import type { AgentLogger } from "../job/agent-logger.ts";
import { createBudget } from "../job/budget.ts";
import { type Inquiries, Suspended } from "../job/inquiries.ts";
import { untilAborted } from "../job/until-aborted.ts";
import { createJournaledModel } from "../model/journaled-model.ts";
import { createTurnWatch } from "../model/last-turn.ts";
import { createMeter } from "../model/meter.ts";
import type { Model, ModelMessage, ToolSpec } from "../model/model.ts";
import { countTokens } from "../model/tokens.ts";
import { createToolbox } from "../registry/toolbox.ts";
import type { Retriever } from "../retrieval/retriever.ts";
import { createApprovals } from "../tools/approvals.ts";
import { createJobTools } from "../tools/job-tools.ts";
import type { Tool } from "../tools/tool.ts";
import { createJournalStore, createMemoryJournal, type JournalStore } from "./memory-journal.ts";
import { createScriptedModel } from "./scripted-model.ts";

export type RunAgentOptions = {
  /** What the request's `config` would be. Default: `{}`. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Default: a scripted model without turns, so an agent that asks it fails. */
  readonly model?: Model;
  /** The tools that the platform has. Default: none. */
  readonly tools?: readonly Tool[];
  /** The session's earlier messages, oldest first. Default: none. */
  readonly history?: readonly HistoryMessage[];
  /** Of a message that is more than a text: what goes to the model in its place. */
  readonly parts?: readonly MessagePart[];
  /** The turn that the job goes on with, from the question to the client's results. Default: none. */
  readonly continues?: readonly ModelMessage[];
  /** The tools that the client runs. Default: none. */
  readonly clientTools?: readonly ToolSpec[];
  readonly toolChoice?: ToolChoice;
  /** The `input` of an execute job. */
  readonly data?: unknown;
  /** Default: `chat`. */
  readonly kind?: JobKind;
  /** What attempts of one job share: a second run with the same store is the second attempt. Default: a new one. */
  readonly store?: JournalStore;
  /** Default: finds nothing. */
  readonly retriever?: Retriever;
  /** Default: there are none to delegate to. */
  readonly agents?: Agents;
  /** As a request's `limits`. Default: the platform's. */
  readonly limits?: Parameters<typeof resolveLimits>[0];
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Default: `en`. */
  readonly locale?: Locale;
  /**
   * What a person decides of a question, or of a call that needs an approval. Default, and where it returns null:
   * nothing yet, so the run rejects with `Suspended`; another run with the same store goes on.
   */
  readonly decide?: (inquiry: Inquiry) => Decision | null;
  /** Aborting it is what cancelling the job would be. */
  readonly signal?: AbortSignal;
  /** Default: nobody reads the log. */
  readonly logger?: AgentLogger;
  /** Is called with every event as it comes, also of a run that fails later. */
  readonly onEvent?: (event: AgentEvent) => void;
};

export type AgentRunRecord = AgentOutcome & {
  /** Everything that the agent yielded, in order. */
  readonly events: readonly AgentEvent[];
  /** The answer, as a client would show it in the end. */
  readonly content: string;
  /** Of this attempt. */
  readonly usage: Usage;
};

/** A deadline is a worker's matter; budgets need a number. */
const DEADLINE_MS = MINUTE;

/**
 * Resolves when the agent has returned. Rejects with what it throws, with `budget_exhausted`, with the signal's reason,
 * and with the errors that end a job without an answer, such as `model_answer_empty`.
 */
export async function runAgent<Schema extends z.ZodType>(
  agent: AgentClass<Schema>,
  task: string,
  options: RunAgentOptions = {},
): Promise<AgentRunRecord> {
  const { locale = "en", signal = new AbortController().signal, onEvent } = options;
  const exhausted = new AbortController();
  const bound = AbortSignal.any([signal, exhausted.signal]);
  const ended = new AbortController();
  const { context, turns, usage } = prepare(agent, task, options, { bound, exhausted, ended: ended.signal });
  const run = new agent().run(inputOf(task, options), context);
  const events: AgentEvent[] = [];
  const content = new GrowingText();
  const show = (event: AgentEvent) => {
    assertEvent(event);
    events.push(event);
    onEvent?.(event);
    if (event.event === "message") applyMessage(content, event);
  };
  try {
    for (;;) {
      bound.throwIfAborted();
      const next = await untilAborted(run.next(), bound);
      if (!next.done) {
        show(next.value);
        continue;
      }
      const outcome = next.value ?? {};
      const end = concludeAnswer(`${content}`, outcome, { turns, locale });
      let step = end.next();
      for (; !step.done; step = end.next()) show(step.value);
      const finishReason = step.value ?? undefined;
      return { ...outcome, finishReason, events, content: `${content}`, usage: usage() };
    }
  } finally {
    // Not awaited: an agent that ignores its signal would hold the test.
    run.return(undefined).catch(() => {});
    ended.abort();
  }
}

type Signals = { readonly bound: AbortSignal; readonly exhausted: AbortController; readonly ended: AbortSignal };

function prepare<Schema extends z.ZodType>(
  agent: AgentClass<Schema>,
  task: string,
  options: RunAgentOptions,
  { bound: signal, exhausted, ended }: Signals,
) {
  const { store = createJournalStore(), kind = "chat", retriever = NO_DOCUMENTS, logger = NO_LOG } = options;
  const { tools = [], model = createScriptedModel(), agents = NO_AGENTS, metadata = {}, locale = "en" } = options;
  const config = parseConfig(agent.config, options.config ?? {});
  const budget = createBudget(resolveLimits(options.limits ?? {}, DEADLINE_MS), (error) => exhausted.abort(error));
  const meter = createMeter(budget);
  const turns = createTurnWatch();
  const journal = createMemoryJournal(store, signal);
  const toolbox = createToolbox();
  for (const tool of tools) toolbox.add(tool);
  const inquiries = inquiriesOf(options.decide);
  const { collection = null, approve = [] } = config as { readonly collection?: string; readonly approve?: string[] };
  const job = { jobId: store.jobId, owner: "test", sessionId: null, retriever, logger };
  const context: AgentContext<z.output<Schema>> = {
    ...{ ...job, kind, task, config, metadata, agents, locale, signal, journal, budget },
    ask: createAsk(inquiries),
    attempt: store.attempts,
    model: createJournaledModel(meter.wrap(model, turns), journal, { watch: turns }),
    tools: createJobTools({
      ...{ ...job, toolbox, budget, journal, ended, collection },
      approvals: createApprovals(inquiries, approve),
    }),
    usage: { report: meter.report },
    clientTools: options.clientTools ?? [],
    toolChoice: options.toolChoice,
  };
  return { context, turns, usage: meter.usage };
}

function parseConfig<Schema extends z.ZodType>(schema: Schema, config: unknown): z.output<Schema> {
  const parsed = schema.safeParse(config);
  if (parsed.success) return parsed.data;
  throw new PlatformError("invalid_config", { message: z.prettifyError(parsed.error) });
}

const inputOf = (
  text: string,
  { kind = "chat", data = null, parts, history = [], continues }: RunAgentOptions,
): AgentInput => ({
  ...{ kind, text, data, ...(parts === undefined ? {} : { parts }) },
  ...(continues === undefined ? {} : { continues }),
  history: {
    async latest({ maxTokens }) {
      let tokens = 0;
      const tooOld = history.findLastIndex(({ content }) => {
        tokens += countTokens(content);
        return tokens > maxTokens;
      });
      return history.slice(tooOld + 1);
    },
  },
});

const inquiriesOf = (decide: RunAgentOptions["decide"] = () => null): Inquiries => ({
  async ask(inquiry) {
    const decision = decide(inquiry);
    if (decision === null) throw new Suspended();
    return decision;
  },
});

const NO_DOCUMENTS: Retriever = { search: async () => [] };
const NO_LOG: AgentLogger = { info() {}, warn() {}, error() {} };
const NO_AGENTS: Agents = {
  list: () => [],
  // biome-ignore lint/correctness/useYield: it fails before there is anything to yield
  async *run({ agent }) {
    throw new PlatformError("agent_not_found", { message: `There is no agent "${agent}".` });
  },
};
