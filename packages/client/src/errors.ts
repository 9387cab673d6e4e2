/**
 * The codes of errors after which the same request may succeed later. Answers do not say it; a test holds the list
 * equal to the platform's table.
 */
export const RETRYABLE_CODES: ReadonlySet<string> = new Set(
  (
    "agent_unavailable answer_pending database_unavailable job_lost model_rate_limited model_stream_broken" +
    " model_timeout model_unavailable not_replicated open_streams_limit queue_full queue_unavailable request_timeout" +
    " session_busy sessions_limit storage_unavailable stream_interrupted suspended_jobs_limit tool_unavailable" +
    " vector_store_unavailable waiting_bytes_limit waiting_jobs_limit worker_lost"
  ).split(" "),
);

/** Statuses of gateways and of a busy platform: without a code of the platform, and before another try. */
const PASSING_STATUSES: ReadonlySet<number> = new Set([408, 429, 502, 503, 504]);

export type ErrorFields = {
  readonly status?: number;
  readonly retryable?: boolean;
  readonly param?: string | null;
  readonly requestId?: string | null;
  readonly jobId?: string | null;
  readonly retryAfterMs?: number | null;
  readonly cause?: unknown;
};

/** Whatever the platform refuses, a job fails with, or a connection breaks by. */
export class AgentPaasError extends Error {
  override readonly name = "AgentPaasError";
  /**
   * A code of the platform's table; or `connection_lost`: there was no answer, or it broke off; `http_error`: an answer
   * that is not the platform's, such as a gateway's; `invalid_response`: a success that is not the platform's.
   */
  readonly code: string;
  /** Of the answer; 0: there was none, or a job failed. */
  readonly status: number;
  /** Whether the same may succeed later. */
  readonly retryable: boolean;
  /** The field of the request that is wrong. */
  readonly param: string | null;
  /** What the platform's logs call the request. */
  readonly requestId: string | null;
  /** The job that the answer is of: the same request would start it anew. */
  readonly jobId: string | null;
  /** How long the platform wants the client to wait, ms. */
  readonly retryAfterMs: number | null;

  constructor(code: string, message: string, fields: ErrorFields = {}) {
    super(message, { cause: fields.cause });
    this.code = code;
    this.status = fields.status ?? 0;
    this.retryable = fields.retryable ?? RETRYABLE_CODES.has(code);
    this.param = fields.param ?? null;
    this.requestId = fields.requestId ?? null;
    this.jobId = fields.jobId ?? null;
    this.retryAfterMs = fields.retryAfterMs ?? null;
  }
}

export const connectionLost = (message: string, cause?: unknown): AgentPaasError =>
  new AgentPaasError("connection_lost", message, { retryable: true, cause });

/** A success that is not the platform's: most likely `baseUrl` leads to something else. */
export const invalidResponse = (response: Response): AgentPaasError =>
  new AgentPaasError("invalid_response", `${placeOf(response)} did not answer as the API does`, {
    status: response.status,
  });

/** Limits that only the owner's own doing lifts: it deletes sessions, or decides. */
const LASTING_CODES: ReadonlySet<string> = new Set(["sessions_limit", "suspended_jobs_limit"]);

/** Whether a request may be sent again without being asked. */
export const isPassing = (error: AgentPaasError): boolean =>
  error.retryable &&
  error.jobId === null &&
  (error.code === "connection_lost" || (PASSING_STATUSES.has(error.status) && !LASTING_CODES.has(error.code)));

/** Of an answer that is no success. `text` is its body. */
export function errorOf(response: Response, text: string): AgentPaasError {
  const { status } = response;
  const retryAfterMs = readRetryAfter(response.headers.get("retry-after"));
  const jobId = response.headers.get("x-job-id");
  try {
    const { code, message, param, request_id: requestId } = JSON.parse(text).error;
    if (typeof code !== "string") throw new TypeError();
    return new AgentPaasError(code, String(message), { status, param, requestId, jobId, retryAfterMs });
  } catch {
    const retryable = PASSING_STATUSES.has(status);
    return new AgentPaasError("http_error", `${placeOf(response)} answered with ${status}`, {
      ...{ status, retryable, retryAfterMs },
    });
  }
}

/** Names where redirections led, because a POST may have become a GET on the way. */
const placeOf = ({ url, redirected }: Response): string =>
  redirected ? `${url}, after a redirection,` : url || "The server";

/** In seconds or as a date. */
function readRetryAfter(header: string | null): number | null {
  if (header === null) return null;
  const seconds = Number(header);
  const ms = Number.isNaN(seconds) ? Date.parse(header) - Date.now() : seconds * 1_000;
  return ms >= 0 ? ms : null;
}
