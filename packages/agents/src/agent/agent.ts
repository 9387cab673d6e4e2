/**
 * The agent interface: one async generator of events, given an input and a context. An agent sees no HTTP, no queue and
 * no database; what it needs of them comes through the context, so the same agent serves chats and execute jobs.
 */
import type { JobKind } from "@agent-paas/shared/contract/jobs.ts";
import type { Locale } from "@agent-paas/shared/contract/locale.ts";
import type { z } from "zod";
import type { AgentLogger } from "../job/agent-logger.ts";
import type { Budget } from "../job/budget.ts";
import type { Journal } from "../job/journal.ts";
import type { Model } from "../model/model.ts";
import type { Retriever } from "../retrieval/retriever.ts";
import type { JobTools } from "../tools/job-tools.ts";
import type { Agents } from "./delegation.ts";
import type { AgentEvent, AgentOutcome } from "./events.ts";

export type HistoryMessage = { readonly role: "user" | "assistant" | "system" | "tool"; readonly content: string };

/** The session's earlier messages, read when asked for and never whole: its cost does not grow with the session. */
export type History = {
  /** The newest messages that fit in `maxTokens` together, oldest first; none for a job outside any session. */
  latest(options: { readonly maxTokens: number }): Promise<readonly HistoryMessage[]>;
};

export type AgentInput = {
  readonly kind: JobKind;
  /** The chat message, or the task of an execute job. */
  readonly text: string;
  /** The `input` of an execute job, as the client sent it. */
  readonly data: unknown;
  readonly history: History;
};

export type AgentContext<Config> = {
  readonly jobId: string;
  /** From 1; above 1 the agent was begun before, for this job, and did not end. */
  readonly attempt: number;
  /** Parsed by the agent's own schema: defaults are filled in. */
  readonly config: Config;
  /** The LLM; what it uses counts against the budget. */
  readonly model: Model;
  /** The tools, and the one way to call them; `answer` does it for the model. */
  readonly tools: JobTools;
  /** The documents of the job's owner. */
  readonly retriever: Retriever;
  /** What former attempts of the job have finished (I5). */
  readonly journal: Journal;
  /** What the job may still use. */
  readonly budget: Budget;
  /** Other agents, to delegate to. */
  readonly agents: Agents;
  /** The language for texts that people read. */
  readonly locale: Locale;
  /** Aborts when the job is cancelled, out of time or no longer this worker's; pass it to whatever waits. */
  readonly signal: AbortSignal;
  readonly logger: AgentLogger;
};

// biome-ignore lint/suspicious/noConfusingVoidType: a generator without a return statement returns void
export type AgentRun = AsyncGenerator<AgentEvent, AgentOutcome | void>;

/**
 * What agents extend; `Schema` is the agent's Zod schema, the one that stands as its static `config`. Every run has an
 * instance of its own. It yields text, thoughts and progress as they come, and may return data and citations. A
 * `PlatformError` that it throws ends the job with that code, or starts it over if the code is retryable; the words of any
 * other error stay in the log.
 */
export abstract class BaseAgent<Schema extends z.ZodType = z.ZodType> {
  abstract run(input: AgentInput, context: AgentContext<z.output<Schema>>): AgentRun;
}

/** The class of an agent: what the platform shows of it stands as static members. */
export type AgentClass<Schema extends z.ZodType = z.ZodType> = {
  new (): BaseAgent<Schema>;
  readonly description: string;
  /** The schema of the request's `config`; a strict object, so that unknown fields are refused. */
  readonly config: Schema;
  /** Names of the tools that the agent can call; `x*` stands for all that begin with `x`. */
  readonly tools?: readonly string[];
};

export type { AgentEvent, AgentLogger, AgentOutcome };
