/**
 * All error codes: for each code the HTTP status, the type, whether the same request may succeed later, and the default
 * text. A test compares the tables of docs/api.md, in both languages, with it.
 */
type ErrorType =
  | "invalid_request_error"
  | "authentication_error"
  | "not_found_error"
  | "conflict_error"
  | "limit_error"
  | "unavailable_error"
  | "model_error"
  | "agent_error"
  | "internal_error";

type ErrorEntry = {
  readonly status: number;
  readonly type: ErrorType;
  readonly retryable: boolean;
  readonly message: string;
};

const entry = (status: number, type: ErrorType, retryable: boolean, message: string): ErrorEntry => ({
  status,
  type,
  retryable,
  message,
});

export const ERROR_CODES = {
  // Requests
  invalid_json: entry(400, "invalid_request_error", false, "The request body is not valid JSON."),
  invalid_http: entry(400, "invalid_request_error", false, "The request is not valid HTTP."),
  invalid_request: entry(400, "invalid_request_error", false, "The request is not valid."),
  missing_api_key: entry(
    401,
    "authentication_error",
    false,
    "Send an API key as 'Authorization: Bearer KEY' or 'X-API-Key: KEY'.",
  ),
  invalid_api_key: entry(401, "authentication_error", false, "The API key is not known."),
  origin_not_allowed: entry(403, "authentication_error", false, "Pages of this origin may not call."),
  route_not_found: entry(404, "not_found_error", false, "There is no such route."),
  agent_not_found: entry(404, "not_found_error", false, "There is no such agent."),
  session_not_found: entry(404, "not_found_error", false, "There is no such session."),
  job_not_found: entry(404, "not_found_error", false, "There is no such job."),
  collection_not_found: entry(404, "not_found_error", false, "There is no such collection."),
  document_not_found: entry(404, "not_found_error", false, "There is no such document."),
  request_not_found: entry(404, "not_found_error", false, "The job has not asked for a decision with this request_id."),
  method_not_allowed: entry(405, "invalid_request_error", false, "The route does not take this method."),
  request_timeout: entry(
    408,
    "invalid_request_error",
    true,
    "The request did not arrive in time. Nothing was accepted; send it again.",
  ),
  tool_name_conflict: entry(
    400,
    "invalid_request_error",
    false,
    "A tool of the client has the name of a tool of the agent.",
  ),
  client_tools_unsupported: entry(
    400,
    "invalid_request_error",
    false,
    "The agent takes no tools that the client runs.",
  ),
  tool_call_not_found: entry(
    400,
    "invalid_request_error",
    false,
    "The session has not called a tool with this call_id.",
  ),
  tool_call_answered: entry(
    409,
    "conflict_error",
    false,
    "The call has its result, or the session went on without it.",
  ),
  decision_conflict: entry(409, "conflict_error", false, "Another decision was made before."),
  job_not_waiting: entry(409, "conflict_error", false, "The job waits for no decision."),
  job_cancelled: entry(409, "conflict_error", false, "The job was cancelled."),
  session_busy: entry(409, "conflict_error", true, "The session has a job that has not ended."),
  idempotency_key_reused: entry(
    409,
    "conflict_error",
    false,
    "The Idempotency-Key was used with another request body.",
  ),
  embedding_mismatch: entry(
    409,
    "conflict_error",
    false,
    "The collection was made with another embedding than the platform has now. Store its documents in a new one, or set the old embedding.",
  ),
  payload_too_large: entry(413, "invalid_request_error", false, "The request body is too large."),
  unsupported_encoding: entry(
    415,
    "invalid_request_error",
    false,
    "The encoding of the request body is not supported; send UTF-8 JSON.",
  ),
  document_format_unsupported: entry(
    415,
    "invalid_request_error",
    false,
    "Documents of this format are not supported.",
  ),
  document_encrypted: entry(
    422,
    "invalid_request_error",
    false,
    "The document is encrypted. Store it without its password.",
  ),
  document_unreadable: entry(422, "invalid_request_error", false, "The document cannot be read."),
  document_has_no_text: entry(
    422,
    "invalid_request_error",
    false,
    "The document has no text. Pages that are pictures, as a scanner makes them, need text recognition first.",
  ),
  knowledge_share_exceeded: entry(
    429,
    "limit_error",
    false,
    "The owner has as many collections, documents or chunks as one owner may have. Delete some first.",
  ),
  headers_too_large: entry(431, "invalid_request_error", false, "The request's headers are too large."),

  // Shares of one API key's owner
  waiting_jobs_limit: entry(429, "limit_error", true, "As many of your jobs wait as one owner may have waiting."),
  waiting_bytes_limit: entry(
    429,
    "limit_error",
    true,
    "Your jobs that have not ended hold as much memory as they may.",
  ),
  open_streams_limit: entry(429, "limit_error", true, "As many of your streams are open as one owner may have open."),
  sessions_limit: entry(429, "limit_error", true, "You have as many sessions as one owner may have. Delete some."),
  suspended_jobs_limit: entry(429, "limit_error", true, "As many of your jobs wait for people as one owner may have."),

  // The platform
  queue_unavailable: entry(
    503,
    "unavailable_error",
    true,
    "The queue cannot be reached. Try again, with an Idempotency-Key if the work must not be done twice.",
  ),
  queue_full: entry(
    503,
    "unavailable_error",
    true,
    "Too many jobs wait already. Nothing was accepted; try again later.",
  ),
  not_replicated: entry(
    503,
    "unavailable_error",
    true,
    "Too few replicas of Redis have the job. It was withdrawn; with an Idempotency-Key, the same request joins it.",
  ),
  database_unavailable: entry(503, "unavailable_error", true, "The database cannot be read or written at present."),
  answer_pending: entry(
    504,
    "unavailable_error",
    true,
    "The answer takes longer than a response may be held back. The job goes on: stream it, or ask for the job.",
  ),
  stream_interrupted: entry(503, "unavailable_error", true, "The stream breaks off here. The job goes on; ask for it."),
  vector_store_unavailable: entry(503, "unavailable_error", true, "The vector store cannot be reached."),
  internal_error: entry(500, "internal_error", false, "Something went wrong inside the platform."),

  // Jobs: the model
  model_auth_failed: entry(502, "model_error", false, "The model provider refused the platform's credentials."),
  model_not_allowed: entry(403, "model_error", false, "The API key may not use the model."),
  model_rejected: entry(502, "model_error", false, "The model provider rejected the request."),
  model_input_unsupported: entry(422, "model_error", false, "The model does not take a part of the message."),
  model_context_exceeded: entry(400, "model_error", false, "The conversation is too long for the model."),
  model_quota_exceeded: entry(502, "model_error", false, "The platform's quota at the model provider is used up."),
  model_rate_limited: entry(503, "model_error", true, "The model provider limits the rate of requests."),
  model_unavailable: entry(502, "model_error", true, "The model provider cannot be reached or failed."),
  model_timeout: entry(504, "model_error", true, "The model provider did not answer in time."),
  model_stream_broken: entry(502, "model_error", true, "The model's stream broke off before its end."),
  model_refused: entry(422, "model_error", false, "The model refused to answer."),
  model_content_filtered: entry(422, "model_error", false, "The model provider's content filter left no answer."),
  model_answer_empty: entry(502, "model_error", false, "The model's answer is empty."),

  response_schema_mismatch: entry(502, "model_error", false, "The model's answer does not fit the response_schema."),
  plan_invalid: entry(502, "model_error", false, "The model's plan cannot be carried out."),

  // Jobs: the agent and its run
  invalid_config: entry(400, "agent_error", false, "The config does not fit the agent."),
  agent_unavailable: entry(503, "agent_error", true, "No worker offers the agent at present."),
  agent_failed: entry(500, "agent_error", false, "The agent failed."),
  tool_unavailable: entry(503, "agent_error", true, "A tool's server cannot be reached."),
  delegation_too_deep: entry(422, "agent_error", false, "Agents delegate to agents too deeply."),
  delegation_failed: entry(502, "agent_error", false, "The steps that the answer needs have failed."),
  effect_in_doubt: entry(500, "agent_error", false, "It is not known whether a piece of work took effect."),
  guardrail_triggered: entry(422, "agent_error", false, "A guardrail of the agent stopped the answer."),
  budget_exhausted: entry(422, "agent_error", false, "The job reached one of its limits."),
  deadline_exceeded: entry(504, "agent_error", false, "The job reached its time limit."),
  event_limit_exceeded: entry(500, "agent_error", false, "The job produced more events than its log may hold."),
  job_invalid: entry(500, "internal_error", false, "The job's payload cannot be read."),
  job_lost: entry(500, "internal_error", true, "The platform lost the job before it began. Send it again."),
  storage_unavailable: entry(503, "unavailable_error", true, "The database cannot be written."),
  worker_lost: entry(500, "internal_error", true, "The workers that ran the job died too often."),
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERROR_CODES;
