/**
 * The program of a thread that compiles JSON Schemas and checks values against them. It may be terminated at any
 * moment, so it keeps nothing but a cache.
 *
 * 1. Patterns run on RE2, which takes linear time.
 * 2. Ajv's keyword `$async` is removed: it turns a failed check into a rejected promise, which nothing would handle.
 */

import { parentPort } from "node:worker_threads";
import { cutText } from "@agent-paas/shared/text.ts";
import { Ajv2020, type ErrorObject, type ValidateFunction } from "ajv/dist/2020.js";
import { RE2JS } from "re2js";

export type SchemaRequest = {
  /** JSON text. */
  readonly schema: string;
  /** JSON text; null: the schema is only compiled. */
  readonly value: string | null;
};

export type SchemaReply = {
  /** Why the schema cannot be compiled. */
  readonly invalid: string | null;
  /** Why the value does not fit. */
  readonly problem: string | null;
};

/** Compiled schemas that are kept: an answer is checked soon after its schema was compiled. */
const MAX_CACHED = 20;

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

const metaSchema = new Ajv2020(OPTIONS);
const cache = new Map<string, ValidateFunction>();

function compile(text: string): ValidateFunction {
  const { $schema: _, $async: __, ...own } = JSON.parse(text);
  if (!metaSchema.validateSchema(own)) throw new Error(describe(metaSchema.errors?.[0]));
  // A new instance per schema, because an instance keeps every schema that it has compiled.
  return new Ajv2020({ ...OPTIONS, meta: false, validateSchema: false }).compile(own);
}

function compiled(text: string): ValidateFunction {
  const validate = cache.get(text) ?? compile(text);
  cache.delete(text);
  cache.set(text, validate);
  const [oldest] = cache.keys();
  if (cache.size > MAX_CACHED && oldest !== undefined) cache.delete(oldest);
  return validate;
}

function reply({ schema, value }: SchemaRequest): SchemaReply {
  let validate: ValidateFunction;
  try {
    validate = compiled(schema);
  } catch (error) {
    return { invalid: error instanceof Error ? error.message : String(error), problem: null };
  }
  if (value === null) return { invalid: null, problem: null };
  try {
    return { invalid: null, problem: validate(JSON.parse(value)) ? null : describe(validate.errors?.[0]) };
  } catch {
    return { invalid: null, problem: "it cannot be checked: schema and value are nested too deeply together" };
  }
}

function describe(error: ErrorObject | null | undefined): string {
  const at = error?.instancePath.slice(1).replaceAll("/", ".") || "the value";
  const detail = Object.values(error?.params ?? {}).find((value) => typeof value === "string");
  const words = error?.message ?? "is not valid";
  return cutText(`${at} ${words}${detail === undefined || words.includes(detail) ? "" : ` (${detail})`}`, MAX_PROBLEM);
}

/** Longest description, characters: it may quote the schema and the value. */
const MAX_PROBLEM = 1_000;

// The first schema compiles the meta-schema, too, which takes longer than most schemas: not at the cost of a call.
compile("{}");
parentPort?.on("message", (request: SchemaRequest) => parentPort?.postMessage(reply(request)));
parentPort?.postMessage("ready");
