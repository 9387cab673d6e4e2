/** Errors in the format that OpenAI's clients expect: `{error: {message, type, code, param}}`. */
import type { z } from "zod";
import type { Refusal } from "./step.ts";

type Details = {
  readonly type?: string;
  readonly code?: string | null;
  readonly param?: string | null;
  readonly headers?: Record<string, string>;
};

export class ApiError extends Error {
  readonly status: number;
  readonly details: Details;

  constructor(status: number, message: string, details: Details = {}) {
    super(message);
    this.status = status;
    this.details = details;
  }

  get body(): { error: { message: string; type: string; code: string | null; param: string | null } } {
    const { type = "invalid_request_error", code = null, param = null } = this.details;
    return { error: { message: this.message, type, code, param } };
  }
}

/** Returns the parsed value, or throws a 400 that names the first wrong field. */
export function parseOrRefuse<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const param = issue?.path.reduce<string>(
    (path, key) => (typeof key === "number" ? `${path}[${key}]` : path === "" ? String(key) : `${path}.${String(key)}`),
    "",
  );
  throw new ApiError(400, param ? `Invalid '${param}': ${issue?.message}` : (issue?.message ?? "Invalid request"), {
    param: param || null,
  });
}

type Answer = readonly [status: number, type: string, code: string | null, message: string];

const ANSWERS: Record<Exclude<Refusal, 401>, Answer> = {
  400: [400, "invalid_request_error", null, "The request is invalid (scripted)."],
  403: [403, "permission_error", null, "The API key has no permission for this model."],
  404: [404, "invalid_request_error", "model_not_found", "The model does not exist or you do not have access to it."],
  429: [429, "requests", "rate_limit_exceeded", "Rate limit reached for requests. Please try again later."],
  500: [500, "server_error", null, "The server had an error while processing your request. Sorry about that!"],
  503: [503, "service_unavailable_error", null, "The engine is currently overloaded, please try again later."],
  quota: [429, "insufficient_quota", "insufficient_quota", "You exceeded your current quota, please check your plan."],
  context_length: [
    400,
    "invalid_request_error",
    "context_length_exceeded",
    "This model's maximum context length is 8192 tokens. Please reduce the length of the messages.",
  ],
};

/** The text of a real provider, which quotes the refused key: logging or showing this text leaks the key. */
export function incorrectKey(presentedKey: string, headers: Record<string, string> = {}): ApiError {
  const hint = "You can find your API key at https://platform.openai.com/account/api-keys.";
  return new ApiError(401, `Incorrect API key provided: ${presentedKey}. ${hint}`, {
    code: "invalid_api_key",
    headers,
  });
}

export function refusal(fault: Refusal, presentedKey: string, retryAfterSeconds?: number): ApiError {
  const headers: Record<string, string> =
    retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) };
  if (fault === 401) return incorrectKey(presentedKey, headers);
  const [status, type, code, message] = ANSWERS[fault];
  return new ApiError(status, message, { type, code, headers });
}
