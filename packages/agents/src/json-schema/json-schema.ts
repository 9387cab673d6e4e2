/**
 * Checks values against JSON Schemas that clients and MCP servers bring. Neither may hold up the process, or end it:
 * 1. Patterns run on RE2, which takes linear time.
 * 2. Compiling and checking are stopped after a while: references that fork, or `uniqueItems`, can make them endless.
 * 3. Ajv's own `$async`, by which a value that does not fit is a rejected promise, is left out.
 */
import { SECOND } from "@agent-paas/shared/time.ts";
import { Ajv2020, type ErrorObject } from "ajv/dist/2020.js";
import { RE2JS } from "re2js";
import { boundedWork, TookTooLong } from "./bounded-work.ts";

/** The first problems of a value, in words; null for none. */
export type SchemaCheck = (value: unknown) => string | null;

const linearRegExp = Object.assign(
  (pattern: string) => {
    const compiled = RE2JS.compile(pattern);
    // Ajv keeps one expression per text that it turns into.
    return { test: (text: string) => compiled.matcher(text).find(), toString: () => pattern };
  },
  { code: "linearRegExp" },
);

/** Formats are not checked: they are many, and their expressions are anyone's. */
const OPTIONS = { strict: false, logger: false, validateFormats: false, code: { regExp: linearRegExp } } as const;

/** For all, so never within the bound: what is stopped half-way may be left half done. */
const metaSchema = new Ajv2020(OPTIONS);

/** For compiling a schema, and for each value that is checked. */
const MAX_MS = SECOND;

/** Throws an `Error` in words about the schema when it is none, or refers to another that is not at hand. */
export function compileSchema(schema: Readonly<Record<string, unknown>>): SchemaCheck {
  const { $schema: _, $async: __, ...own } = schema;
  if (!metaSchema.validateSchema(own)) throw new Error(describe(metaSchema.errors?.[0]));
  // An instance of its own, because an instance keeps something of every schema that it has compiled.
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
