/** What requests carry. Written by `npm run client-types` from the OpenAPI document: do not edit. */

export type MessagePart = {
  readonly type: "text";
  readonly text: string;
} | {
  readonly type: "image_url";
  readonly image_url: {
    readonly url: string;
    readonly detail?: "auto" | "low" | "high" | undefined;
  };
} | {
  readonly type: "file";
  readonly file: {
    readonly file_data?: string | undefined;
    readonly file_id?: string | undefined;
    readonly filename?: string | undefined;
  };
};

export type JobStatus = "queued" | "running" | "waiting" | "completed" | "failed" | "cancelled";

export type ChatRequest = {
  /** The id of an agent. */
  readonly agent_type: string;
  readonly session_id?: string | undefined;
  /** `create`: a session of that id begins with this request if there is none. */
  readonly if_not_exists?: "create" | undefined;
  /** A text, or its parts. May be absent beside `tool_results`. */
  readonly message?: string | readonly MessagePart[] | undefined;
  /**
   * A message of the user, by its id in the history: this one takes its place, and it and all behind it
   * leave the session. Without `message` it is sent again as it was.
   */
  readonly replace_from?: string | undefined;
  /** Tools that the client runs itself. A call to one ends the job with `finish_reason: tool_calls`. */
  readonly tools?: readonly {
    readonly name: string;
    /** For the model: what it does and when to use it. */
    readonly description?: string | undefined;
    /** JSON Schema of the arguments, an object. Default: no arguments. */
    readonly parameters?: Readonly<Record<string, unknown>> | undefined;
  }[] | undefined;
  /** Whether the model may, may not or must call a tool in its first turn, or which one. Default: `auto`. */
  readonly tool_choice?: "auto" | "none" | "required" | {
    readonly name: string;
  } | undefined;
  /**
   * Results of the calls with which the session's latest job ended. A call without one counts as
   * unanswered.
   */
  readonly tool_results?: readonly {
    readonly call_id: string;
    readonly content: string | readonly {
      readonly type: "text";
      readonly text: string;
    }[];
  }[] | undefined;
  /** For the agent; its `config_schema` says what. */
  readonly config?: Readonly<Record<string, unknown>> | undefined;
  /** How much the job may use. */
  readonly limits?: {
    /** Model turns. */
    readonly max_steps?: number | undefined;
    /** Tool calls. 0: the job may not call tools. */
    readonly max_tool_calls?: number | undefined;
    /** Output tokens of all model turns together. */
    readonly max_output_tokens?: number | undefined;
    /** The time from the start of the first attempt, ms. */
    readonly deadline_ms?: number | undefined;
  } | undefined;
  /** Kept with what the request makes. */
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
  readonly stream?: boolean | undefined;
  /** When the session has a job already: wait for it, answer 409, or cancel it. */
  readonly on_busy?: "queue" | "reject" | "interrupt" | undefined;
};

export type ExecuteRequest = {
  /** A text, or its parts. May be absent beside `tool_results`. */
  readonly task?: string | readonly MessagePart[] | undefined;
  readonly input?: unknown | undefined;
  /** Tools that the client runs itself. A call to one ends the job with `finish_reason: tool_calls`. */
  readonly tools?: readonly {
    readonly name: string;
    /** For the model: what it does and when to use it. */
    readonly description?: string | undefined;
    /** JSON Schema of the arguments, an object. Default: no arguments. */
    readonly parameters?: Readonly<Record<string, unknown>> | undefined;
  }[] | undefined;
  /** Whether the model may, may not or must call a tool in its first turn, or which one. Default: `auto`. */
  readonly tool_choice?: "auto" | "none" | "required" | {
    readonly name: string;
  } | undefined;
  /**
   * Results of the calls with which the session's latest job ended. A call without one counts as
   * unanswered.
   */
  readonly tool_results?: readonly {
    readonly call_id: string;
    readonly content: string | readonly {
      readonly type: "text";
      readonly text: string;
    }[];
  }[] | undefined;
  /** For the agent; its `config_schema` says what. */
  readonly config?: Readonly<Record<string, unknown>> | undefined;
  /** How much the job may use. */
  readonly limits?: {
    /** Model turns. */
    readonly max_steps?: number | undefined;
    /** Tool calls. 0: the job may not call tools. */
    readonly max_tool_calls?: number | undefined;
    /** Output tokens of all model turns together. */
    readonly max_output_tokens?: number | undefined;
    /** The time from the start of the first attempt, ms. */
    readonly deadline_ms?: number | undefined;
  } | undefined;
  /** Kept with what the request makes. */
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
  readonly session_id?: string | undefined;
  /** `create`: a session of that id begins with this request if there is none. */
  readonly if_not_exists?: "create" | undefined;
  /** When the session has a job already: wait for it, answer 409, or cancel it. */
  readonly on_busy?: "queue" | "reject" | "interrupt" | undefined;
};

export type DecisionsRequest = {
  readonly decisions: readonly {
    readonly decision: "approve" | "reject" | "edit" | "answer";
    readonly arguments?: Readonly<Record<string, unknown>> | undefined;
    readonly answer?: unknown | undefined;
    readonly reason?: string | undefined;
    readonly request_id: string;
  }[];
};

export type QueryRequest = {
  readonly query: string;
  readonly top_k?: number | undefined;
  readonly min_score?: number | undefined;
};

export type HistoryQuery = {
  readonly limit?: number | undefined;
  readonly before?: string | undefined;
  readonly session_id?: string | undefined;
  readonly include?: "tools" | undefined;
};

export type SessionsQuery = {
  readonly limit?: number | undefined;
  readonly before?: string | undefined;
  /** Only sessions whose title or messages contain this text, ASCII in any case. */
  readonly search?: string | undefined;
};

export type PageQuery = {
  readonly limit?: number | undefined;
  readonly before?: string | undefined;
};

export type JobsQuery = {
  readonly limit?: number | undefined;
  readonly before?: string | undefined;
  readonly status?: JobStatus | undefined;
  readonly kind?: "chat" | "execute" | undefined;
  readonly agent_type?: string | undefined;
  readonly session_id?: string | undefined;
};

export type ChunksQuery = {
  /** The position in the middle. Default: the beginning. */
  readonly around?: number | undefined;
  /** Most chunks. */
  readonly limit?: number | undefined;
};
