/** Errors of the platform's fields, told as those of the request's own. */
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";

/** The field of an error as the steps of its path; empty for what names none. */
export const stepsOf = (error: unknown): readonly string[] =>
  error instanceof PlatformError && error.param !== null ? error.param.split(".") : [];

/** @param error one that names a field. */
export function ofField(error: unknown, steps: readonly string[]): unknown {
  if (!(error instanceof PlatformError) || error.param === null) return error;
  const { code, details, retryAfterMs } = error;
  const param = steps.join(".");
  const message = error.message.replace(error.param, param);
  return new PlatformError(code, { message, param, details, ...(retryAfterMs === null ? {} : { retryAfterMs }) });
}
