/** Checks input against a schema; the first problem becomes the error, with the path of its field. */
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { IdSchema } from "@agent-paas/shared/ids.ts";
import { z } from "zod";

/** Longest field path in an error, characters: a field name may be as long as the body. */
const MAX_PARAM = 200;

/** Throws `invalid_request`, without the value itself. `within` is the path of `input` in the request. */
export function validate<S extends z.ZodType>(
  schema: S,
  input: unknown,
  within: readonly PropertyKey[] = [],
): z.output<S> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const unknownKey = issue?.code === "unrecognized_keys" ? issue.keys.slice(0, 1) : [];
  const param = [...within, ...(issue?.path ?? []), ...unknownKey].join(".").slice(0, MAX_PARAM);
  const message = unknownKey.length > 0 ? "there is no such field" : plainWords(issue?.message ?? "is not valid");
  throw new PlatformError("invalid_request", {
    message: param === "" ? message : `${param}: ${message}`,
    ...(param === "" ? {} : { param }),
  });
}

/** Replaces Zod's messages for the most frequent mistakes by messages about the request. */
const plainWords = (message: string): string =>
  message
    .replace(/^Invalid input: expected \w+, received undefined$/, "is required")
    .replace(/^Invalid input: expected number, received NaN$/, "must be a number");

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

export const JsonObjectSchema = z
  .record(z.string(), z.unknown())
  .refine((value) => isWithinDepth(value, MAX_DEPTH), `is nested deeper than ${MAX_DEPTH}`);

function isWithinDepth(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  return depth > 0 && Object.values(value).every((inner) => isWithinDepth(inner, depth - 1));
}
