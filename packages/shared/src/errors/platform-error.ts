import { ERROR_CODES, type ErrorCode } from "./codes.ts";

export type PlatformErrorOptions = {
  /** What is said instead of the code's default text. Shown to users: no inner detail, no secret. */
  readonly message?: string;
  /** The request's field at fault, as a path (`config.temperature`). */
  readonly param?: string;
  /** How long to wait before the next try. */
  readonly retryAfterMs?: number;
  /** Facts beside the text, added to the error envelope (`job_id` of a running job). */
  readonly details?: Readonly<Record<string, unknown>>;
  /** For the log alone. */
  readonly cause?: unknown;
};

/** An expected failure with a stable code; everything else that is thrown counts as a fault of the platform's own. */
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
