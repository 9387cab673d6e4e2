import { ERROR_CODES, type ErrorCode } from "@agent-paas/shared/errors/codes.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";

/** The error of a job as that of a request that waited for the job. It names the field that its words begin with. */
export function jobError(code: string, message: string, details: Readonly<Record<string, unknown>>): PlatformError {
  const [field = ""] = message.split(": ", 1);
  const isField = field.startsWith("config.") && !field.includes(" ");
  return new PlatformError(asErrorCode(code), { message, details, ...(isField ? { param: field } : {}) });
}

/** A job may have been ended by a worker of another version. */
export const asErrorCode = (code: string): ErrorCode =>
  Object.hasOwn(ERROR_CODES, code) ? (code as ErrorCode) : "agent_failed";
