/** The error codes of a route: those of its operation, and those of every route of its kind. */
import { ERROR_CODES, type ErrorCode } from "@agent-paas/shared/errors/codes.ts";
import { hasBody, type Route } from "./door.ts";

/** Of what finds out that a request is none, and of what nobody expected. */
const OF_ALL = ["invalid_http", "request_timeout", "headers_too_large", "internal_error"] as const;
const OF_INPUT = ["invalid_request"] as const;
const OF_BODIES = ["invalid_json", "payload_too_large", "unsupported_encoding", ...OF_INPUT] as const;
const OF_KEYS = { public: [], optional_key: ["invalid_api_key"], key: ["missing_api_key", "invalid_api_key"] } as const;

/** Of what reads the database, and the queues for what it does not have yet. */
export const READ_ERRORS = ["database_unavailable", "queue_unavailable"] as const;

/** Of what accepts a job. */
export const ACCEPT_ERRORS = [
  ...READ_ERRORS,
  "queue_full",
  "not_replicated",
  "idempotency_key_reused",
  "waiting_jobs_limit",
  "waiting_bytes_limit",
] as const;

/** Of what names an agent, its config, and perhaps a session. */
export const AGENT_ERRORS = [
  "agent_not_found",
  "agent_unavailable",
  "invalid_config",
  "session_not_found",
  "session_busy",
  "sessions_limit",
  "client_tools_unsupported",
  "tool_call_not_found",
  "tool_call_answered",
] as const;

const isOfJobs = (code: ErrorCode): boolean => ["model_error", "agent_error"].includes(ERROR_CODES[code].type);

/** Of what answers with the error of a job that has failed. */
export const JOB_ERRORS: readonly ErrorCode[] = [
  ...(Object.keys(ERROR_CODES) as ErrorCode[]).filter(isOfJobs),
  ...(["job_invalid", "job_lost", "worker_lost", "storage_unavailable", "vector_store_unavailable"] as const),
  ...(["agent_not_found", "collection_not_found", "embedding_mismatch", "tool_name_conflict"] as const),
];

/** In the order of the table of codes. */
export function errorsOf(route: Route): readonly ErrorCode[] {
  const { access, operation } = route;
  const { params, query, headers, ownHeaders, errors = [] } = operation;
  const takesInput = [params, query, headers, ownHeaders].some((part) => part !== undefined);
  const codes = new Set<ErrorCode>([
    ...OF_ALL,
    ...OF_KEYS[access],
    ...(takesInput ? OF_INPUT : []),
    ...(hasBody(route) ? OF_BODIES : []),
    ...errors,
  ]);
  return (Object.keys(ERROR_CODES) as ErrorCode[]).filter((code) => codes.has(code));
}
