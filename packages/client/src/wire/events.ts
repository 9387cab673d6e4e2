/** The events of a job. Written by `npm run client-types` from the OpenAPI document: do not edit. */

/** Tokens of all model turns of a job, over all its attempts and children. */
export type Usage = {
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly total_tokens: number;
  /** By the name of the model that answered: its part. Absent: no turn has ended that says who answered. */
  readonly models?: Readonly<Record<string, {
    readonly input_tokens: number;
    readonly output_tokens: number;
    readonly total_tokens: number;
  }>> | undefined;
};

/** A passage that an answer refers to. */
export type Citation = {
  /** How the answer's text refers to the passage: `[1]`. */
  readonly marker: string;
  /** The collection that was searched. Absent where a former version cited. */
  readonly collection?: string | undefined;
  readonly document_id: string;
  /** Index of the passage's chunk within the document, from 0. Absent likewise. */
  readonly position?: number | undefined;
  /** The name of the document, as it was stored. */
  readonly source: string;
  /** The headings above the passage, outermost first, joined by ` › `; or empty. */
  readonly heading: string;
  /** How well the passage answers the query, 0 to 1. */
  readonly score: number;
  /** The beginning of the passage. */
  readonly excerpt: string;
};

/** A call of a tool that the client runs. */
export type ClientCall = {
  readonly call_id: string;
  readonly name: string;
  /** JSON, character by character as the model wrote it; `{}` if it wrote none. */
  readonly arguments: string;
};

/** The progress of a job, beside its answer. The type decides which further fields there are. */
export type ThoughtEvent = {
  readonly event: "thought";
  readonly data: {
    /** A text for people. */
    readonly content: string;
    readonly type: 
      | "status"
      | "reasoning"
      | "tool_call"
      | "tool_result"
      | "retrieval"
      | "delegate"
      | "approval_required"
      | "input_required"
      | "queued"
      | "progress"
      | "retry"
      | "fallback";
    readonly [field: string]: unknown;
  };
  /** Rises within a job. `Last-Event-ID` and `after` continue behind it. */
  readonly id: number;
};

/**
 * The answer. Clients append the `content` of type `text` to what they show. On type `reset` they
 * discard what they show and show `content` instead: it is empty when a new attempt starts over, and
 * the whole text when an agent corrects its answer or an ended job is replayed from the database.
 */
export type MessageEvent = {
  readonly event: "message";
  readonly data: {
    readonly content: string;
    readonly type: "text" | "reset";
  };
  /** Rises within a job. `Last-Event-ID` and `after` continue behind it. */
  readonly id: number;
};

/** Why a job failed; `done` follows. */
export type ErrorEvent = {
  readonly event: "error";
  readonly data: {
    /** A code of the table of errors, or one of another version. */
    readonly code: string;
    /** A text for people. */
    readonly message: string;
    /** Whether the same request may succeed later. */
    readonly retryable: boolean;
  };
  /** Rises within a job. `Last-Event-ID` and `after` continue behind it. */
  readonly id: number;
};

/** The last event of every job, published exactly once. */
export type DoneEvent = {
  readonly event: "done";
  readonly data: {
    /** Null for a job outside any session. */
    readonly session_id: string | null;
    readonly job_id: string;
    readonly status: "completed" | "failed" | "cancelled";
    /** Null if none was recorded. */
    readonly usage: Usage | null;
    /** Null if no model turn has ended. Absent where a former version ended the job. */
    readonly finish_reason?: string | null | undefined;
    /** Absent if the agent returned none. */
    readonly citations?: readonly Citation[] | undefined;
    /** The calls that the client is to make. */
    readonly tool_calls?: readonly ClientCall[] | undefined;
    /** What the agent returned beside the text. Absent if it returned nothing. */
    readonly data?: unknown | undefined;
  };
  /** Rises within a job. `Last-Event-ID` and `after` continue behind it. */
  readonly id: number;
};

/** One Server-Sent Event: its `id`, its `event`, and its `data` as parsed JSON. */
export type StreamEvent = ThoughtEvent | MessageEvent | ErrorEvent | DoneEvent;
