/** Errors of frameworks and their providers, as the platform's own: whether a retry may help follows from them. */
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { providerError } from "../model/openai/provider-error.ts";

type Fields = Readonly<Record<string, unknown>>;

/**
 * A `PlatformError` for what a provider answered, or for one that could not be reached; any other error as it is.
 * Frameworks wrap errors in one another: the innermost that has a status counts.
 */
export function asPlatformError(error: unknown, depth = 0): unknown {
  if (error instanceof PlatformError || typeof error !== "object" || error === null) return error;
  const { statusCode, status = statusCode, lastError, cause = lastError, message } = error as Fields;
  if (typeof status === "number") {
    const { code, type } = detailsOf(error as Fields);
    return providerError({ status, code, type, message: String(message), cause: error });
  }
  if (isUnreachable(error as Fields)) return providerError({ status: null, message: String(message), cause: error });
  const inner = cause === undefined || depth === MAX_DEPTH ? cause : asPlatformError(cause, depth + 1);
  return inner instanceof PlatformError ? inner : error;
}

const MAX_DEPTH = 5;

/** OpenAI's client names code and type itself; the AI SDK keeps the body. */
function detailsOf({ code, type, data }: Fields): { code?: string | null; type?: string | null } {
  const { error = {} } = (data ?? {}) as { readonly error?: Fields };
  const text = (value: unknown) => (typeof value === "string" ? value : null);
  return { code: text(code) ?? text(error.code), type: text(type) ?? text(error.type) };
}

const isUnreachable = ({ name, code }: Fields): boolean =>
  name === "APIConnectionError" || UNREACHABLE.has(code) || (typeof code === "string" && code.startsWith("UND_ERR_"));

const UNREACHABLE: ReadonlySet<unknown> = new Set([
  ...["ECONNREFUSED", "ECONNRESET", "EPIPE", "EAI_AGAIN", "ENOTFOUND", "EHOSTUNREACH", "ETIMEDOUT"],
]);
