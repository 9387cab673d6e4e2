/** Checks input against a schema; the first problem becomes the error, with the path of its field. */

import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { IdSchema } from "@agent-paas/shared/ids.ts";
import { cutText } from "@agent-paas/shared/text.ts";
import { z } from "zod";

/** Longest field path in an error, characters: a field name may be as long as the body. */
const MAX_PARAM = 200;

/**
 * Most fields of one input, over all its objects. A body of 256 KiB has room for 28,000, and each step on the way of a
 * request, from the schema to the queue, costs a few microseconds per field.
 */
const MAX_FIELDS = 20_000;

/** Most fields of a free object, such as `config` and `metadata`: schemas of agents walk through these again. */
const MAX_OBJECT_FIELDS = 5_000;

/** Throws `invalid_request`, without the value itself. `within` is the path of `input` in the request. */
export function validate<S extends z.ZodType>(
  schema: S,
  input: unknown,
  within: readonly PropertyKey[] = [],
): z.output<S> {
  if (hasMoreFields(input, MAX_FIELDS)) {
    throw new PlatformError("invalid_request", { message: `The request has more than ${MAX_FIELDS} fields.` });
  }
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const issue = innermost(parsed.error.issues[0]);
  const unknownKey = issue?.code === "unrecognized_keys" ? issue.keys.slice(0, 1) : [];
  const param = cutText([...within, ...(issue?.path ?? []), ...unknownKey].join("."), MAX_PARAM);
  const isAbsent = issue !== undefined && valueAt(input, issue.path) === undefined;
  const message =
    unknownKey.length > 0 ? "there is no such field" : plainWords(issue?.message ?? "is not valid", isAbsent);
  throw new PlatformError("invalid_request", {
    message: param === "" ? message : `${param}: ${message}`,
    ...(param === "" ? {} : { param }),
  });
}

type Issue = z.core.$ZodIssue;

/** Of a value that fits none of several schemas: where the one that it fits best refuses it. */
function innermost(issue: Issue | undefined): Issue | undefined {
  if (issue?.code !== "invalid_union") return issue;
  return issue.errors
    .flatMap((issues) => innermost(issues[0]) ?? [])
    .map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }))
    .reduce<Issue>((best, inner) => (isCloser(inner, best) ? inner : best), issue);
}

const isCloser = (issue: Issue, best: Issue): boolean =>
  issue.path.length === best.path.length
    ? isOtherKind(best) && !isOtherKind(issue)
    : issue.path.length > best.path.length;

/** Whether a schema says that the value is none of its kind at all. */
const isOtherKind = (issue: Issue): boolean =>
  issue.code === "invalid_union"
    ? issue.discriminator !== undefined
    : issue.code === "invalid_value" && issue.values.length === 1;

/** The body of a request, or an object in it. Null is the absence of a field that may be absent. */
export function bodySchema<Shape extends z.ZodRawShape>(shape: Shape) {
  const optional = new Set(
    Object.keys(shape).filter((field) => z.safeParse(shape[field] as z.ZodType, undefined).success),
  );
  const isAbsent = ([field, value]: [string, unknown]) => value === null && optional.has(field);
  return z.preprocess(
    (body) => (isObject(body) ? Object.fromEntries(Object.entries(body).filter((entry) => !isAbsent(entry))) : body),
    z.strictObject(shape),
  );
}

const valueAt = (input: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown> | null | undefined)?.[key], input);

/** Replaces Zod's messages for the most frequent mistakes by messages about the request. */
function plainWords(message: string, isAbsent: boolean): string {
  // Of a field that may be one of several things.
  if (message === "Invalid input") return isAbsent ? "is required" : "is not valid";
  return message
    .replace(/^Invalid input: expected \w+, received undefined$/, "is required")
    .replace(/^Invalid input: expected number, received NaN$/, "must be a number")
    .replace(/^Invalid input: expected (?:int|number), received bigint$/, "must not be an integer beyond 2^53");
}

/** The id in a route's path. */
export const pathId = (params: Record<string, unknown>): string => validate(IdSchema, params.id, ["id"]);

/** A page of a list: `limit` rows, those before the id `before`. */
export const pageQuery = (max: number, fallback: number) =>
  z.object({
    limit: z.coerce.number().int().min(1).max(max).default(fallback),
    before: IdSchema.optional(),
  });

/** Deeper JSON has no use, and overflows the stack of recursive code that handles it. */
const MAX_DEPTH = 64;

export const JsonSchema = z
  .unknown()
  .refine((value) => isWithinDepth(value, MAX_DEPTH), `is nested deeper than ${MAX_DEPTH}`);

/** Not `z.record`, which would copy the object field by field before its size is known. */
export const JsonObjectSchema = z
  .custom<Record<string, unknown>>(isObject, "expected an object")
  .refine((value) => isWithinDepth(value, MAX_DEPTH), { error: `is nested deeper than ${MAX_DEPTH}`, abort: true })
  .refine((value) => !hasMoreFields(value, MAX_OBJECT_FIELDS), `has more than ${MAX_OBJECT_FIELDS} fields`)
  // For its JSON Schema, which does not follow from a custom check.
  .meta({ type: "object" });

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Stops at the limit. Its stack does not grow with the depth of the value, which is not known yet. */
function hasMoreFields(value: unknown, most: number): boolean {
  let fields = 0;
  const open: unknown[] = [value];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next !== "object" || next === null) continue;
    const inner = Object.values(next);
    if (!Array.isArray(next)) fields += inner.length;
    if (fields > most) return true;
    for (const each of inner) if (typeof each === "object" && each !== null) open.push(each);
  }
  return false;
}

function isWithinDepth(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  return depth > 0 && Object.values(value).every((inner) => isWithinDepth(inner, depth - 1));
}
