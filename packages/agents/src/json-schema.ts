/**
 * Checks values against JSON Schemas that clients and MCP servers bring. Their patterns run on RE2, which takes linear
 * time: a schema from outside must not be able to block the process with a regular expression.
 */
import { Ajv2020, type ErrorObject } from "ajv/dist/2020.js";
import { RE2JS } from "re2js";

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

const metaSchema = new Ajv2020(OPTIONS);

/** Throws an `Error` in words about the schema when it is none, or refers to another that is not at hand. */
export function compileSchema(schema: Readonly<Record<string, unknown>>): SchemaCheck {
  const { $schema: _, ...own } = schema;
  if (!metaSchema.validateSchema(own)) throw new Error(describe(metaSchema.errors?.[0]));
  // An instance of its own, because an instance keeps something of every schema that it has compiled.
  const validate = new Ajv2020({ ...OPTIONS, meta: false, validateSchema: false }).compile(own);
  return (value) => (validate(value) ? null : describe(validate.errors?.[0]));
}

function describe(error: ErrorObject | null | undefined): string {
  const at = error?.instancePath.slice(1).replaceAll("/", ".") || "the value";
  const detail = Object.values(error?.params ?? {}).find((value) => typeof value === "string");
  const words = error?.message ?? "is not valid";
  return `${at} ${words}${detail === undefined || words.includes(detail) ? "" : ` (${detail})`}`;
}
