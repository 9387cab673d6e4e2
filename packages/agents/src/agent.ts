/**
 * The agent interface: one async generator of events, given an input and a context. An agent sees no HTTP, no queue and
 * no database; what it needs of them comes through the context, so the same agent serves chats and execute jobs.
 */
import type { JobKind, Usage } from "@agent-paas/shared/contract/jobs.ts";
import type { Locale } from "@agent-paas/shared/contract/locale.ts";
import type { z } from "zod";
import type { AgentEvent } from "./events.ts";
import type { Model } from "./model/model.ts";

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
  readonly model: Model;
  /** The language for texts that people read. */
  readonly locale: Locale;
  /** Aborts when the job is cancelled, out of time or no longer this worker's; pass it to whatever waits. */
  readonly signal: AbortSignal;
  readonly logger: AgentLogger;
};

/** Lines carry the job's ids already. */
export type AgentLogger = {
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
};

/** What an agent may return beside its streamed text. */
export type AgentOutcome = { readonly data?: unknown };

// biome-ignore lint/suspicious/noConfusingVoidType: a generator without a return statement returns void
export type AgentRun = AsyncGenerator<AgentEvent, AgentOutcome | void>;

/** `Schema` is the agent's Zod schema, the one that stands as its static `config`. */
export abstract class BaseAgent<Schema extends z.ZodType = z.ZodType> {
  abstract run(input: AgentInput, context: AgentContext<z.output<Schema>>): AgentRun;
}

/** The class of an agent: what the platform shows of it stands as static members. */
export type AgentClass<Schema extends z.ZodType = z.ZodType> = {
  new (): BaseAgent<Schema>;
  readonly description: string;
  /** The schema of the request's `config`; a strict object, so that unknown fields are refused. */
  readonly config: Schema;
  /** Names of the tools that the agent can call. */
  readonly tools?: readonly string[];
};

export type { AgentEvent, Usage };
