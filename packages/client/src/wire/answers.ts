/** What the API answers. Written by `npm run client-types` from the OpenAPI document: do not edit. */
import type { Citation, ClientCall, Usage } from "./events.ts";
import type { JobStatus, MessagePart } from "./requests.ts";

export type AcceptedAgentJob = {
  readonly job_id: string;
  readonly status: JobStatus;
  readonly links: JobLinks;
  readonly session_id: string | null;
};

export type Message = {
  readonly id: string;
  readonly role: "user" | "assistant" | "system" | "tool";
  readonly content: string;
  /** Of a message that was sent as parts. */
  readonly parts?: readonly MessagePart[] | undefined;
  /** Of an answer that calls tools of the client. */
  readonly tool_calls?: readonly ClientCall[] | undefined;
  readonly tokens_used: number;
  readonly created_at: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly job_id: string;
};

export type ListedSession = {
  readonly id: string;
  readonly agent_type: string;
  /** What later messages of the session inherit. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly created_at: string;
  readonly updated_at: string;
  /** The beginning of its first message, until it is renamed; null before. */
  readonly title: string | null;
  /** With `search`: the text around the newest message that contains it; null if the title does. */
  readonly match?: string | null | undefined;
};

export type Session = {
  readonly id: string;
  readonly agent_type: string;
  /** What later messages of the session inherit. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly created_at: string;
  readonly updated_at: string;
  /** The beginning of its first message, until it is renamed; null before. */
  readonly title: string | null;
};

export type Agent = {
  readonly id: string;
  readonly description: string;
  readonly config_schema: Readonly<Record<string, unknown>>;
  readonly tools: readonly string[];
  readonly needs_message?: boolean | undefined;
  readonly unavailable_tools: readonly {
    readonly name: string;
    readonly reason: string;
  }[];
  readonly client_tools: boolean;
  /** How many live workers offer it. */
  readonly workers: number;
};

/** A job. A field without a value is null. */
export type Job = {
  readonly id: string;
  readonly kind: "chat" | "execute";
  /** The agent; or a system job, which contains a dot. */
  readonly agent_type: string;
  readonly session_id: string | null;
  readonly status: JobStatus;
  /** How often the agent was started; null before the first time. */
  readonly attempt: number | null;
  readonly waiting_for: readonly Inquiry[];
  /** How many jobs are ahead of it in its queue, while it waits. */
  readonly queue_position: number | null;
  /** What the agent said last of its progress, while it runs. */
  readonly progress: unknown;
  readonly result: JobResult | null;
  readonly error: {
    /** A code of the table of errors, or one of another version. */
    readonly code: string;
    /** A text for people. */
    readonly message: string;
  } | null;
  readonly usage: Usage | null;
  /** What the request attached to the job. */
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly created_at: string;
  readonly started_at: string | null;
  readonly finished_at: string | null;
  readonly links: JobLinks;
};

/** What a person must decide before the job goes on. */
export type Inquiry = {
  readonly type: "approval";
  readonly tool: string;
  readonly arguments: unknown;
  readonly request_id: string;
  readonly expires_at: string;
} | {
  readonly type: "input";
  readonly question: string;
  /** JSON Schema of the answer; null: every JSON value fits. */
  readonly schema: Readonly<Record<string, unknown>> | null;
  readonly request_id: string;
  readonly expires_at: string;
};

/** The answer, or the part of it that a job has which did not complete. */
export type JobResult = {
  /** The text of the answer. */
  readonly content: string;
  /**
   * How the model turn ended that the answer ends with: `stop`; `tool_calls` if it calls tools of the
   * client; `length`, `content_filter` or `refusal` for an answer that is not what it might have been;
   * or another value of the provider's.
   */
  readonly finish_reason?: string | undefined;
  /** What the agent returned beside the text. */
  readonly data?: unknown | undefined;
  readonly citations?: readonly Citation[] | undefined;
  /** The calls that the client is to make. */
  readonly tool_calls?: readonly ClientCall[] | undefined;
};

export type AcceptedJob = {
  readonly job_id: string;
  readonly status: JobStatus;
  readonly links: JobLinks;
};

export type DecidedJob = {
  readonly job_id: string;
  readonly status: JobStatus;
  readonly links: JobLinks;
  readonly waiting_for: readonly Inquiry[];
};

export type Collection = {
  readonly name: string;
  /** The name of the embedding that embedded all its documents. */
  readonly embedding: string;
  readonly documents: number;
  readonly chunks: number;
  readonly created_at: string;
};

export type StoringDocument = {
  readonly job_id: string;
  readonly status: JobStatus;
  readonly links: JobLinks;
  readonly document_id: string;
};

export type Document = {
  readonly id: string;
  /** The document's name within the collection. */
  readonly source: string;
  readonly format: DocumentFormat;
  /** A hash of text and format: equal for equal content. */
  readonly version: string;
  readonly bytes: number;
  readonly chunks: number;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly job_id: string;
  readonly created_at: string;
  readonly updated_at: string;
};

export type DocumentChunks = {
  readonly document_id: string;
  /** The document's name. */
  readonly source: string;
  /** How many chunks the document has. */
  readonly total: number;
  /** In their order. Neighbours may overlap. */
  readonly chunks: readonly Chunk[];
};

export type Chunk = {
  /** Index of the chunk within its document, from 0. */
  readonly position: number;
  /** The headings above it, outermost first, joined by ` › `; empty for none. */
  readonly heading: string;
  readonly text: string;
};

export type Passage = {
  readonly document_id: string;
  /** The document's name, as it was given when the document was stored. */
  readonly source: string;
  /** The headings above the passage, outermost first, joined by ` › `; empty for none. */
  readonly heading: string;
  readonly content: string;
  /** Index of the chunk within its document, from 0. */
  readonly position: number;
  /** How well it answers, 0 to 1: of its terms and its meaning, or the cosine if searches are not hybrid. */
  readonly score: number;
};

export type Health = {
  readonly status: "ok" | "degraded" | "down";
  /** For a caller with a key. */
  readonly version?: string | undefined;
  readonly checks: {
    readonly redis: {
      readonly status: "up" | "degraded" | "down" | "not_configured";
      readonly [field: string]: unknown;
    };
    readonly database: {
      readonly status: "up" | "degraded" | "down" | "not_configured";
      readonly [field: string]: unknown;
    };
    readonly vector_store: {
      readonly status: "up" | "degraded" | "down" | "not_configured";
      readonly [field: string]: unknown;
    };
    readonly workers: {
      readonly status: "up" | "degraded" | "down" | "not_configured";
      readonly [field: string]: unknown;
    };
    readonly queues: {
      readonly status: "up" | "degraded" | "down" | "not_configured";
      readonly [field: string]: unknown;
    };
  };
};

export type JobLinks = {
  readonly self: string;
  readonly events: string;
  readonly cancel: string;
};

export type DocumentFormat = "text" | "markdown" | "html" | "csv" | "pdf" | "docx";

export type HistoryPage = {
  readonly session_id: string;
  readonly messages: readonly Message[];
  /** The `before` of the next page; null if this is the last. */
  readonly next: string | null;
};

export type SessionPage = {
  readonly sessions: readonly ListedSession[];
  /** The `before` of the next page; null if this is the last. */
  readonly next: string | null;
  /**
   * With `search`. False: the page has ended before all was looked through, and `next` goes on; or a
   * session has more messages than the newest 2,000.
   */
  readonly complete?: boolean | undefined;
};

export type AgentList = {
  readonly agents: readonly Agent[];
};

export type JobPage = {
  readonly jobs: readonly Job[];
  /** The `before` of the next page; null if this is the last. */
  readonly next: string | null;
};

export type CollectionList = {
  readonly collections: readonly Collection[];
};

export type DocumentPage = {
  readonly collection: string;
  readonly documents: readonly Document[];
  /** The `before` of the next page; null if this is the last. */
  readonly next: string | null;
};

export type FoundPassages = {
  readonly collection: string;
  /** The name of the embedding that the search went by. */
  readonly embedding: string;
  readonly passages: readonly Passage[];
};
