/** What a provider's failures mean: the platform's code, the words for the user, and when to try again. */

import { ERROR_CODES, type ErrorCode } from "@agent-paas/shared/errors/codes.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { createRedactor } from "@agent-paas/shared/logging/redact.ts";
import { cutText } from "@agent-paas/shared/text.ts";
import { MINUTE, SECOND } from "@agent-paas/shared/time.ts";
import { APIConnectionError, APIError } from "openai";
import { type ProviderFailure, readFailure } from "./error-body.ts";
import { CODE_OF_NAME, STATUS_OF_NAME } from "./error-names.ts";
import { PHRASES } from "./error-words.ts";
import { refusesParts } from "./part-refusals.ts";
import { boundedWait, waitInHeaders } from "./retry-after.ts";

/** The words of a provider that a user sees, at most. */
const MAX_WORDS = 300;
/** So much of a message is searched for phrases. */
const MAX_SEARCHED = 4_000;
/** A wait that is longer than this is told, because the platform's own retries come sooner. */
const LONG_WAIT_MS = MINUTE;

/** When the request itself is at fault, only the provider's words help the client. Otherwise they stay in the log. */
const SHOWS_WORDS: readonly ErrorCode[] = ["model_rejected", "model_context_exceeded", "model_input_unsupported"];

/** The settings of a request by the names that providers have for them. */
const FIELDS: readonly (readonly [name: string, field: string])[] = [
  ["temperature", "config.temperature"],
  ["top_p", "config.top_p"],
  ["max_completion_tokens", "config.max_tokens"],
  ["max_tokens", "config.max_tokens"],
  ["frequency_penalty", "config.frequency_penalty"],
  ["presence_penalty", "config.presence_penalty"],
  ["reasoning_effort", "config.reasoning_effort"],
  ["parallel_tool_calls", "config.parallel_tool_calls"],
];

/** Settings whose names are words of their own: only a failure that names its field is about them. */
const WORDS = ["stop", "seed"];

/** With which a refusal of an image or a file comes: some servers find it in their templates, and fail. */
const PART_STATUSES = [400, 404, 415, 422, 500, 501];

const redactPatterns = createRedactor([]);

/**
 * The error for what a provider reports. `status` is that of the answer; without one the failure came in a stream that
 * had begun. `redact` removes the secrets of the process from the provider's words.
 */
export function providerFailure(
  failure: ProviderFailure,
  redact: (text: string) => string = redactPatterns,
  cause?: unknown,
): PlatformError {
  const code = codeOf(failure);
  const retryAfterMs = failure.retryAfterMs == null ? null : boundedWait(failure.retryAfterMs);
  const field = code === "model_rejected" ? fieldOf(failure) : code === "model_input_unsupported" ? "message" : null;
  const message = [
    SHOWS_WORDS.includes(code) ? explain(code, failure, field, redact) : null,
    retryAfterMs !== null && retryAfterMs > LONG_WAIT_MS
      ? `The provider asks to wait ${Math.ceil(retryAfterMs / SECOND)} s.`
      : null,
  ].filter((part) => part !== null);
  const isDefault = message.length === 0;
  const first = SHOWS_WORDS.includes(code) ? [] : [ERROR_CODES[code].message];
  return new PlatformError(code, {
    cause: cause ?? describe(failure),
    ...(isDefault ? {} : { message: [...first, ...message].join(" ") }),
    ...(field === null ? {} : { param: field }),
    ...(retryAfterMs === null ? {} : { retryAfterMs }),
  });
}

/** Whatever a request to a provider has thrown. */
export function toPlatformError(error: unknown, redact: (text: string) => string, hadParts = false): PlatformError {
  if (error instanceof PlatformError) return error;
  if (error instanceof APIConnectionError) return new PlatformError("model_unavailable", { cause: error });
  if (error instanceof APIError && error.status !== undefined) {
    return providerFailure({ ...failureOf(error), hadParts }, redact, error);
  }
  return new PlatformError("model_stream_broken", { cause: error });
}

/** The failure that an answer with an error's status reports. */
export function failureOf(error: APIError): ProviderFailure {
  const body = readFailure(error.error);
  return {
    ...body,
    status: statusOf(error.status, body),
    retryAfterMs: waitInHeaders(error.headers) ?? body.retryAfterMs,
  };
}

/** Gateways answer 400 or 500 for what their provider said with another status, which then stands in the body. */
function statusOf(status: number | undefined, body: ProviderFailure): number | undefined {
  return status === 400 || status === 500 ? (knownStatus(body) ?? status) : status;
}

function codeOf(failure: ProviderFailure): ErrorCode {
  const { code, type, retryAfterMs } = failure;
  for (const name of [code, type]) {
    const known = own(CODE_OF_NAME, String(name ?? "").toLowerCase());
    if (known !== undefined) return known;
  }
  const status = knownStatus(failure);
  const text = (failure.message ?? "").slice(0, MAX_SEARCHED).toLowerCase();
  const mayBeOfParts = failure.hadParts && (status === undefined || PART_STATUSES.includes(status));
  if (mayBeOfParts && refusesParts(text)) return "model_input_unsupported";
  for (const { code: meant, phrases, isFinal, statuses } of PHRASES) {
    if (isFinal && retryAfterMs != null) continue;
    if (statuses !== undefined && status !== undefined && !statuses.includes(status)) continue;
    if (phrases.some((phrase) => [phrase].flat().every((part) => text.includes(part)))) return meant;
  }
  return codeOfStatus(status, failure);
}

function knownStatus({ status, code, type }: ProviderFailure): number | undefined {
  if (status != null && status >= 400) return status;
  const number = Number(code ?? Number.NaN);
  if (Number.isInteger(number) && number >= 400 && number <= 599) return number;
  return own(STATUS_OF_NAME, String(code ?? "")) ?? own(STATUS_OF_NAME, String(type ?? ""));
}

function codeOfStatus(status: number | undefined, failure: ProviderFailure): ErrorCode {
  // Without any hint: an answer that fails as a whole, or a stream that does not go on.
  if (status === undefined) return failure.status == null ? "model_stream_broken" : "model_unavailable";
  if (status === 402) return "model_quota_exceeded";
  if (status === 413) return "model_context_exceeded";
  if (status === 401 || status === 403) return "model_auth_failed";
  if (status === 429) return "model_rate_limited";
  if (status === 408) return "model_timeout";
  // Conflicts, failed dependencies, "too early" and Groq's "capacity exceeded" pass.
  return status >= 500 || [409, 424, 425, 498].includes(status) ? "model_unavailable" : "model_rejected";
}

/** The setting of the request that the provider refuses, if it names one. */
function fieldOf({ param, message }: ProviderFailure): string | null {
  const text = (message ?? "").slice(0, MAX_SEARCHED).toLowerCase();
  const named = FIELDS.filter(([name]) => text.includes(name));
  // A message may go on to name the fields that are accepted.
  const [first] = named.toSorted(([a], [b]) => text.indexOf(a) - text.indexOf(b));
  if (param != null && WORDS.includes(param)) return `config.${param}`;
  return (FIELDS.find(([name]) => param === name) ?? first)?.[1] ?? null;
}

function explain(
  code: ErrorCode,
  failure: ProviderFailure,
  field: string | null,
  redact: (text: string) => string,
): string {
  const words = wordsFor(failure, redact);
  if (code === "model_context_exceeded")
    return words === null ? ERROR_CODES[code].message : `The conversation is too long for the model: ${words}`;
  if (code === "model_input_unsupported") return `${ERROR_CODES[code].message} It says: ${words}`;
  const reason = words ?? (failure.status == null ? "it gave no reason" : `HTTP ${failure.status}`);
  if (field !== null) return `The model provider rejected ${field}: ${reason}`;
  return `The model provider rejected the request: ${reason}`;
}

/** The provider's words as one line, bounded and redacted; null if it gave none. */
function wordsFor({ message }: ProviderFailure, redact: (text: string) => string): string | null {
  const line = redact(oneLine((message ?? "").slice(0, MAX_SEARCHED)));
  if (line === "") return null;
  return line.length <= MAX_WORDS ? line : `${cutText(line, MAX_WORDS)} …`;
}

/** Control characters, and marks that turn the direction of text, have no place in a message. */
const UNPRINTABLE = /[\p{Cc}\s\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu;
const oneLine = (text: string): string => text.replace(UNPRINTABLE, " ").trim().toWellFormed();

/** For the log: it names everything that was told. */
function describe(failure: ProviderFailure): Error {
  return new Error(`The provider reported: ${JSON.stringify(failure).slice(0, MAX_SEARCHED)}`);
}

/** Names come from a provider, and `constructor` is none of ours. */
const own = <T>(table: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined;
