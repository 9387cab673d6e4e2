/**
 * Checks values against JSON Schemas of clients and MCP servers. Such a schema must neither block the process nor end
 * it:
 * 1. Patterns run on RE2, which takes linear time.
 * 2. Compiling and checking have a time limit: references that fork, or `uniqueItems`, can take exponential time.
 * 3. Ajv's keyword `$async` is removed: it turns a failed check into a rejected promise, which nothing would handle.
 */
import { SECOND } from "@agent-paas/shared/time.ts";
import { Ajv2020, type ErrorObject } from "ajv/dist/2020.js";
import { RE2JS } from "re2js";
import { boundedWork, TookTooLong } from "./bounded-work.ts";

/** Returns the first problem of the value as a text; null for none. */
export type SchemaCheck = (value: unknown) => string | null;

const linearRegExp = Object.assign(
  (pattern: string) => {
    const compiled = RE2JS.compile(pattern);
    // Ajv caches expressions by their string.
    return { test: (text: string) => compiled.matcher(text).find(), toString: () => pattern };
  },
  { code: "linearRegExp" },
);

/** Formats are not checked, because the regular expressions of their validators may backtrack. */
const OPTIONS = { strict: false, logger: false, validateFormats: false, code: { regExp: linearRegExp } } as const;

/** Shared by all schemas, so it never runs inside `boundedWork`, which could leave it half changed. */
const metaSchema = new Ajv2020(OPTIONS);

/** Time limit for compiling a schema, and for each check of a value. */
const MAX_MS = SECOND;

/** Throws an `Error` that describes the problem when the schema is invalid or refers to an external schema. */
export function compileSchema(schema: Readonly<Record<string, unknown>>): SchemaCheck {
  const { $schema: _, $async: __, ...own } = schema;
  if (!metaSchema.validateSchema(own)) throw new Error(describe(metaSchema.errors?.[0]));
  // A new instance per schema, because an instance keeps every schema that it has compiled.
  const compile = () => new Ajv2020({ ...OPTIONS, meta: false, validateSchema: false }).compile(own);
  const validate = boundedWork(compile, MAX_MS);
  return (value) => {
    try {
      return boundedWork(() => validate(value), MAX_MS) ? null : describe(validate.errors?.[0]);
    } catch (error) {
      if (error instanceof TookTooLong) return `${error.message} to check`;
      throw error;
    }
  };
}

function describe(error: ErrorObject | null | undefined): string {
  const at = error?.instancePath.slice(1).replaceAll("/", ".") || "the value";
  const detail = Object.values(error?.params ?? {}).find((value) => typeof value === "string");
  const words = error?.message ?? "is not valid";
  return `${at} ${words}${detail === undefined || words.includes(detail) ? "" : ` (${detail})`}`;
}
