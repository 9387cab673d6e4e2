/**
 * Reads what a provider says about a failure: each provider and each gateway has a form of its own, and some put the
 * answer of another one, as text, into theirs. Nothing of a body is trusted, and markup never counts as words.
 */
import { type Fields, isFields } from "@agent-paas/shared/json/fields.ts";
import { durationOf, waitInWords } from "./retry-after.ts";

/** What is known of a failure. Absent or null: not told. */
export type ProviderFailure = {
  /** HTTP status of the answer, or the status that its body names. */
  readonly status?: number | null | undefined;
  readonly code?: string | number | null | undefined;
  readonly type?: string | null | undefined;
  readonly message?: string | null | undefined;
  /** The field of the request that the provider names. */
  readonly param?: string | null | undefined;
  readonly retryAfterMs?: number | null | undefined;
  /** Whether the request had images or files. Default: no. */
  readonly hadParts?: boolean;
};

/** Only so much of a body is read: the words come first in all known forms. */
const MAX_BODY_CHARS = 65_536;
/** Errors inside errors, such as a gateway's around that of its provider. */
const MAX_DEPTH = 5;
/** Problems of a list that are named, as of a request with several wrong fields. */
const MAX_PROBLEMS = 3;

const NOTHING: ProviderFailure = {};

/** `body` is the text of an answer, or JSON of any form. Never throws. */
export function readFailure(body: unknown, depth = 0): ProviderFailure {
  if (depth > MAX_DEPTH) return NOTHING;
  if (typeof body === "string") return readText(body.slice(0, MAX_BODY_CHARS).trim(), depth);
  if (Array.isArray(body)) return readList(body, depth);
  return isFields(body) ? readFields(body, depth) : NOTHING;
}

/** Whether the JSON of an answer reports a failure instead: some providers do so with status 200. */
export const reportsFailure = (body: unknown): boolean =>
  isFields(body) &&
  body.choices === undefined &&
  body.data === undefined &&
  ["error", "errors", "detail", "base_resp", "error_msg", "message", "msg"].some((name) => body[name] != null);

function readText(text: string, depth: number): ProviderFailure {
  try {
    return readFailure(JSON.parse(text), depth + 1);
  } catch {
    // It is text, or JSON that was cut.
  }
  if (text.startsWith("<")) return { message: titleOf(text) };
  return text === "" ? NOTHING : { message: text, retryAfterMs: waitInWords(text) };
}

/** Validators report a list of problems; Gemini wraps its error into a list. */
function readList(list: readonly unknown[], depth: number): ProviderFailure {
  const failures = list.slice(0, MAX_PROBLEMS).map((each) => readFailure(each, depth + 1));
  const [first = NOTHING] = failures;
  const messages = failures.flatMap(({ message }) => (message ? [message] : []));
  return messages.length < 2 ? first : { ...first, message: messages.join("; ") };
}

/** Where the failure itself stands, from the most telling to the least; all but the last two may be objects. */
const INSIDE = ["error", "errors", "detail", "base_resp", "message", "msg"] as const;
const MESSAGE = ["message", "Message", "msg", "status_msg", "error_msg", "error_message", "errorMessage", "title"];
const CODE = ["code", "error_code", "status_code", "err_code", "reason"];
const TYPE = ["type", "error_type", "__type"];

function readFields(fields: Fields, depth: number): ProviderFailure {
  const inside = INSIDE.map((name) => fields[name]).filter((value) => value != null && value !== "");
  const nested = inside.find((value) => typeof value === "object") ?? inside.find((value) => typeof value === "string");
  const own = readOwn(fields);
  if (nested === undefined) return own;
  const inner = readFailure(nested, depth + 1);
  const upstream = readUpstream(fields, depth);
  const merged = { ...own, ...told(inner), ...told(upstream) };
  // FastAPI's problems name the field beside the words.
  const place = placeOf(fields);
  return place === null || !merged.message ? merged : { ...merged, message: `${place}: ${merged.message}` };
}

function readOwn(fields: Fields): ProviderFailure {
  return told({
    status: numberIn(fields, ["status", "statusCode", "http_code", "code"]),
    code: firstOf(fields, [...(typeof fields.status === "string" ? ["status"] : []), ...CODE]),
    type: textIn(fields, TYPE),
    message: textIn(fields, MESSAGE) ?? (typeof fields.error === "string" ? fields.error : null),
    param: textIn(fields, ["param"]),
    retryAfterMs: readWait(fields),
  });
}

/** OpenRouter says "Provider returned error" and puts that provider's own body beside it. */
function readUpstream({ metadata }: Fields, depth: number): ProviderFailure {
  if (!isFields(metadata) || typeof metadata.raw !== "string") return NOTHING;
  const { message, code, type } = readFailure(metadata.raw, depth + 1);
  return told({ message, code, type });
}

function readWait(fields: Fields): number | null {
  const details = Array.isArray(fields.details) ? fields.details.filter(isFields).slice(0, 20) : [];
  const delay = details.map(({ retryDelay }) => retryDelay).find((value) => typeof value === "string");
  if (typeof delay === "string") return durationOf(delay);
  if (typeof fields.retry_after_ms === "number") return fields.retry_after_ms;
  const seconds = fields.retry_after ?? fields.estimated_time;
  if (typeof seconds === "number") return seconds * 1_000;
  return waitInWords(textIn(fields, MESSAGE) ?? "");
}

const placeOf = ({ loc }: Fields): string | null =>
  Array.isArray(loc)
    ? loc
        .filter((part) => typeof part === "string" || typeof part === "number")
        .slice(0, 10)
        .join(".")
    : null;

/** The title of a page is what a person would read of it. Linear: three searches. */
function titleOf(page: string): string | null {
  const lower = page.toLowerCase();
  const tag = lower.indexOf("<title");
  const start = tag < 0 ? -1 : lower.indexOf(">", tag);
  const end = start < 0 ? -1 : lower.indexOf("<", start);
  const title = end < 0 ? "" : page.slice(start + 1, end).trim();
  return title === "" ? null : title;
}

function firstOf(fields: Fields, names: readonly string[]): string | number | null {
  for (const name of names) {
    const value = fields[name];
    if ((typeof value === "string" && value !== "") || typeof value === "number") return value;
  }
  return null;
}

function textIn(fields: Fields, names: readonly string[]): string | null {
  const value = names.map((name) => fields[name]).find((text) => typeof text === "string" && text.trim() !== "");
  return typeof value === "string" ? value : null;
}

/** The first that is an HTTP status of a failure, also one written as text. */
function numberIn(fields: Fields, names: readonly string[]): number | null {
  for (const name of names) {
    const value = Number(fields[name] ?? Number.NaN);
    if (Number.isInteger(value) && value >= 400 && value <= 599) return value;
  }
  return null;
}

/** Without the fields that say nothing, so that they do not hide others. */
function told(failure: ProviderFailure): ProviderFailure {
  return Object.fromEntries(Object.entries(failure).filter(([, value]) => value != null && value !== ""));
}
