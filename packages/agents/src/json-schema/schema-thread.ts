/**
 * The program of a thread that compiles JSON Schemas and checks values against them. It may be terminated at any
 * moment, so it keeps nothing but a cache.
 *
 * 1. Patterns run on RE2, which takes linear time.
 * 2. Ajv's keyword `$async` is removed: it turns a failed check into a rejected promise, which nothing would handle.
 */

import { parentPort } from "node:worker_threads";
import { cutText } from "@agent-paas/shared/text.ts";
import { Ajv2020, type ErrorObject, MissingRefError, type ValidateFunction } from "ajv/dist/2020.js";
import { RE2JS } from "re2js";
import { adaptSchema } from "./adapt-schema.ts";
import { compareByOwnNames } from "./json-equality.ts";

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
const OPTIONS = {
  strict: false,
  logger: false,
  validateFormats: false,
  // Names such as `constructor` are properties of a value only if the value has them itself.
  ownProperties: true,
  code: { regExp: linearRegExp },
} as const;

/** Only schemas that refer to the meta-schema pay for reading it. */
const META_SCHEMA = "https://json-schema.org/draft/2020-12/";

/** In the functions that Ajv writes, the objects that hold the names which `unevaluatedProperties` need not check. */
const TRACKED = /\b(props\d+ ?(?:=|\|\|) ?)\{\}/g;
const trackOwnNames = (code: string): string => code.replaceAll(TRACKED, "$1Object.create(null)");
/** A schema with such a text of its own stays as it is: it only errs in names such as `constructor`. */
const WRITES_NAMES = /props\d/;

const metaSchema = new Ajv2020(OPTIONS);
const cache = new Map<string, ValidateFunction>();

function compile(text: string): ValidateFunction {
  const { $schema: _, $async: __, ...own } = JSON.parse(text);
  if (!metaSchema.validateSchema(own)) throw new Error(describe(metaSchema.errors?.[0]));
  const adapted = adaptSchema(own);
  const code = { ...OPTIONS.code, ...(WRITES_NAMES.test(text) ? {} : { process: trackOwnNames }) };
  // A new instance per schema, because an instance keeps every schema that it has compiled.
  const ajv = new Ajv2020({ ...OPTIONS, code, meta: text.includes(META_SCHEMA), validateSchema: false });
  compareByOwnNames(ajv);
  try {
    return ajv.compile(adapted);
  } catch (error) {
    if (error instanceof MissingRefError) {
      throw new Error(
        `it refers to "${error.missingRef}", which it does not contain; references to elsewhere are not followed`,
      );
    }
    if (error instanceof RangeError) throw new Error("its references lead in a circle, or it is nested too deeply");
    throw error;
  }
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
    return { invalid: wordsOf(error), problem: null };
  }
  if (value === null) return { invalid: null, problem: null };
  try {
    return { invalid: null, problem: validate(JSON.parse(value)) ? null : describe(validate.errors?.[0]) };
  } catch (error) {
    if (error instanceof RangeError) return { invalid: null, problem: TOO_DEEP };
    // Neither the value nor its author is at fault.
    return { invalid: `it cannot be used for a check: ${wordsOf(error)}`, problem: null };
  }
}

const TOO_DEEP =
  "it cannot be checked: schema and value are nested too deeply together, or the schema refers to itself without end";

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

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
