/**
 * The agent interface: an agent is one async generator of events over an input and a context. It sees no HTTP, no queue
 * and no database; the context gives it ports instead, so the same agent serves chats and execute jobs.
 */
import type { ToolChoice } from "@agent-paas/shared/contract/client-tools.ts";
import type { JobKind } from "@agent-paas/shared/contract/jobs.ts";
import type { Locale } from "@agent-paas/shared/contract/locale.ts";
import type { MessagePart } from "@agent-paas/shared/contract/message-parts.ts";
import type { z } from "zod";
import type { AgentJournal } from "../job/agent-journal.ts";
import type { AgentLogger } from "../job/agent-logger.ts";
import type { Budget } from "../job/budget.ts";
import type { Model, ModelMessage, ToolCall, ToolSpec } from "../model/model.ts";
import type { UsageReport } from "../model/reported-usage.ts";
import type { Retriever } from "../retrieval/retriever.ts";
import type { JobTools } from "../tools/job-tools.ts";
import type { Ask } from "./ask.ts";
import type { Agents } from "./delegation.ts";
import type { AgentEvent, AgentOutcome } from "./events.ts";

export type HistoryMessage = {
  readonly role: "user" | "assistant" | "system" | "tool";
  readonly content: string;
  /** Of a user's message that is more than a text. */
  readonly parts?: readonly MessagePart[];
  /** Of an assistant's message that calls tools: their results follow it. */
  readonly toolCalls?: readonly ToolCall[];
  /** Of a message of role `tool`: the call whose result it is. */
  readonly callId?: string;
};

/** The earlier messages. Those of a session are read on demand and within a limit, so a long session costs no more. */
export type History = {
  /**
   * The newest messages that fit into `maxTokens` together, oldest first. `withCalls`: with the tool calls of earlier
   * turns and their results, as far as they fit as well. Default: without. What a request brings itself stands before
   * those of its session, and is there whole: `system` messages, and for a job without a session its conversation.
   */
  latest(options: { readonly maxTokens: number; readonly withCalls?: boolean }): Promise<readonly HistoryMessage[]>;
};

export type AgentInput = {
  readonly kind: JobKind;
  /** The chat message, or the task of an execute job. */
  readonly text: string;
  /** What `text` says, as it came, if it came as parts; `text` has theirs. `firstMessages` gives them to the model. */
  readonly parts?: readonly MessagePart[];
  /** The `input` of an execute job, as the client sent it. */
  readonly data: unknown;
  readonly history: History;
  /**
   * The turn that the job goes on with, whose calls the client has answered: from the question to the results. It comes
   * behind the history, and whole. `text` may be empty then. Absent: the job goes on with none.
   */
  readonly continues?: readonly ModelMessage[];
};

export type AgentContext<Config> = {
  readonly jobId: string;
  /** Whose job it is. Owners take turns where they share something. */
  readonly owner: string;
  readonly kind: JobKind;
  /** The session of a chat, or of an execute job that belongs to one; else null. */
  readonly sessionId: string | null;
  /** What the agent is asked: `input.text`. */
  readonly task: string;
  /** Counted from 1. Above 1, an earlier attempt of this job started the agent and did not complete. */
  readonly attempt: number;
  /** Parsed by the agent's own schema, so defaults are filled in. */
  readonly config: Config;
  /** What the client attached to the request, as it was sent. The platform does not read it. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** The LLM. Its usage counts against the budget. */
  readonly model: Model;
  /** The tools and the only way to call them. `answer` makes the calls that the model asks for. */
  readonly tools: JobTools;
  /** Tools that the client runs: a call to one ends the job. `answer` offers them to the model. */
  readonly clientTools: readonly ToolSpec[];
  /** What the request says of the model's calls, of whatever tools. `answer` passes it on. */
  readonly toolChoice?: ToolChoice | undefined;
  /** The documents of the job's owner. */
  readonly retriever: Retriever;
  /** For agents that ask a model without `model`: what they used counts as the job's, and its limits apply. */
  readonly usage: UsageReport;
  /** The work that earlier attempts of the job finished (I5). */
  readonly journal: AgentJournal;
  /** What the job may still use. */
  readonly budget: Budget;
  /** Asks a person; the job waits for the answer without a worker. */
  readonly ask: Ask;
  /** Other agents, to delegate to. */
  readonly agents: Agents;
  /** The language of texts that people read. */
  readonly locale: Locale;
  /** Aborts when the job is cancelled, out of time or superseded. Every wait in the agent must end with it. */
  readonly signal: AbortSignal;
  readonly logger: AgentLogger;
};

// biome-ignore lint/suspicious/noConfusingVoidType: a generator without a return statement returns void
export type AgentRun = AsyncGenerator<AgentEvent, AgentOutcome | void>;

/**
 * The base class of agents; `Schema` is the Zod schema of the static member `config`. Every run gets a new instance.
 * The agent yields text, thoughts and progress as they arise, and may return data and citations. A `PlatformError` that
 * it throws fails the job with that code, or causes a retry if the code is retryable. The message of any other error
 * stays in the log.
 */
export abstract class BaseAgent<Schema extends z.ZodType = z.ZodType> {
  abstract run(input: AgentInput, context: AgentContext<z.output<Schema>>): AgentRun;
}

/** The class of an agent. Its static members are what the platform publishes about it. */
export type AgentClass<Schema extends z.ZodType = z.ZodType> = {
  new (): BaseAgent<Schema>;
  readonly description: string;
  /** The schema of the request's `config`: a strict object, so that unknown fields are refused. */
  readonly config: Schema;
  /** Names of the tools that the agent can call; `x*` matches every name that begins with `x`. */
  readonly tools?: readonly string[];
  /** Whether requests may bring tools that their client runs (`context.clientTools`). Default: no. */
  readonly clientTools?: boolean;
  /** False: the agent also works without a message, as a tool of MCP that takes no arguments. Default: true. */
  readonly needsMessage?: boolean;
};

export type { AgentEvent, AgentLogger, AgentOutcome };
