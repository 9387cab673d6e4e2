/** Errors of frameworks and their providers, as the platform's own: whether a retry may help follows from them. */
import type { ErrorCode } from "@agent-paas/shared/errors/codes.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { providerError } from "../model/openai/provider-error.ts";

type Fields = Readonly<Record<string, unknown>>;

/**
 * A `PlatformError` for what a provider answered, for a provider that could not be reached or broke off, and for an end
 * that a framework has an error of its own for; any other error as it is. Frameworks wrap errors in one another: the
 * innermost that has a status counts.
 */
export function asPlatformError(error: unknown, depth = 0): unknown {
  if (error instanceof PlatformError || typeof error !== "object" || error === null) return error;
  const { statusCode, status = statusCode, lastError, cause = lastError, message, name } = error as Fields;
  const end = ENDS.get(name);
  if (end !== undefined) return endOf(end, error as Fields);
  if (typeof status === "number") {
    const { code, type } = detailsOf(error as Fields);
    return providerError({ status, code, type, message: String(message), cause: error });
  }
  if (isUnreachable(error as Fields) || isBroken(error as Fields)) return streamError(error);
  const inner = cause === undefined || depth === MAX_DEPTH ? cause : asPlatformError(cause, depth + 1);
  return inner instanceof PlatformError ? inner : error;
}

const MAX_DEPTH = 5;

/** For what a model's stream failed with: an error, or a provider's words in any form. */
export function streamError(failure: unknown): PlatformError {
  const fields = typeof failure === "object" && failure !== null ? (failure as Fields) : { message: failure };
  const message = typeof fields.message === "string" ? fields.message : null;
  return providerError({ status: null, ...detailsOf(fields), message, cause: failure });
}

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

/** OpenAI's client, which LangChain uses as well, throws errors without a name where it reads a stream. */
const isBroken = ({ name, stack }: Fields): boolean => BROKEN.has(name) || IN_STREAM.test(firstFrameOf(stack));

const BROKEN: ReadonlySet<unknown> = new Set([
  ...["AI_JSONParseError", "AI_TypeValidationError", "AI_InvalidResponseDataError"],
]);
const IN_STREAM = /[\\/]openai[\\/]core[\\/]streaming\./;

const firstFrameOf = (stack: unknown): string => String(stack).split("\n    at ", 2)[1] ?? "";

/** Errors of the frameworks by their names. */
const ENDS: ReadonlyMap<unknown, ErrorCode> = new Map([
  ["MaxTurnsExceededError", "budget_exhausted"],
  ["GraphRecursionError", "budget_exhausted"],
  ["ModelRefusalError", "model_refused"],
  ["ModelBehaviorError", "agent_failed"],
  ["AI_UnsupportedFunctionalityError", "model_input_unsupported"],
  ["InputGuardrailTripwireTriggered", "guardrail_triggered"],
  ["OutputGuardrailTripwireTriggered", "guardrail_triggered"],
  ["ToolInputGuardrailTripwireTriggered", "guardrail_triggered"],
  ["ToolOutputGuardrailTripwireTriggered", "guardrail_triggered"],
]);

/** What a model refused, and what a guardrail found, stays in the log. */
function endOf(code: ErrorCode, error: Fields): PlatformError {
  if (code === "model_refused") return new PlatformError(code, { cause: error });
  if (code !== "guardrail_triggered") return new PlatformError(code, { message: String(error.message), cause: error });
  const { guardrail } = (error.result ?? {}) as { readonly guardrail?: { readonly name?: string } };
  const message = guardrail?.name === undefined ? undefined : `The guardrail "${guardrail.name}" stopped the answer.`;
  return new PlatformError(code, message === undefined ? { cause: error } : { message, cause: error });
}
