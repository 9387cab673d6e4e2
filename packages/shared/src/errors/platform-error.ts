import { ERROR_CODES, type ErrorCode } from "./codes.ts";

export type PlatformErrorOptions = {
  /** Replaces the default text of the code. Users see it, so it must contain neither internals nor secrets. */
  readonly message?: string;
  /** The invalid field of the request, as a path: `config.temperature`. */
  readonly param?: string;
  /** How long to wait before trying again, ms. */
  readonly retryAfterMs?: number;
  /** Further fields of the error in the response, such as the `job_id` of a running job. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** The original error. Only the log shows it. */
  readonly cause?: unknown;
};

/** An expected failure with a stable code. Any other error counts as a defect of the platform or of an agent. */
export class PlatformError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly type: string;
  readonly retryable: boolean;
  readonly param: string | null;
  readonly retryAfterMs: number | null;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, options: PlatformErrorOptions = {}) {
    const known = ERROR_CODES[code];
    super(options.message ?? known.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "PlatformError";
    this.code = code;
    this.status = known.status;
    this.type = known.type;
    this.retryable = known.retryable;
    this.param = options.param ?? null;
    this.retryAfterMs = options.retryAfterMs ?? null;
    this.details = options.details ?? {};
  }
}
