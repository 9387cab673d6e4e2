import { PlatformError } from "../errors/platform-error.ts";

const MAX_ERROR_TEXT = 500;
const MAX_CAUSES = 5;

/**
 * The fields of an error that are logged. Other properties may contain secrets: errors of HTTP clients hold whole
 * responses with headers, and validation errors hold the invalid value. Expected failures are logged without a stack.
 */
export function describeError(error: unknown, withStack = isUnexpected(error), depth = MAX_CAUSES): unknown {
  if (!(error instanceof Error)) return String(error).slice(0, MAX_ERROR_TEXT);
  const { name, message, stack, cause } = error;
  const code = "code" in error ? error.code : undefined;
  return {
    type: name,
    message: message.slice(0, MAX_ERROR_TEXT),
    ...(typeof code === "string" || typeof code === "number" ? { code } : {}),
    ...(withStack ? { stack: stack?.slice(0, 4 * MAX_ERROR_TEXT) } : {}),
    ...(cause === undefined || depth === 0 ? {} : { cause: describeError(cause, withStack, depth - 1) }),
  };
}

/** The same in one line, for standard error. */
export const errorLine = (error: unknown): string =>
  (error instanceof Error ? `${error.name}: ${error.message}` : String(error))
    .slice(0, MAX_ERROR_TEXT)
    .replaceAll(/\s+/g, " ");

const isUnexpected = (error: unknown): boolean =>
  !(error instanceof PlatformError) || error.code === "internal_error" || error.code === "agent_failed";
