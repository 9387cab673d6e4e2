/**
 * Whether a JSON Schema has the form of one, in any draft: that its keywords have values of their kinds. Providers
 * refuse a whole request for one tool whose schema has not, in words that help nobody. Takes linear time.
 */
import { isFields } from "@agent-paas/shared/json/fields.ts";

/** What is wrong, and where. */
export type SchemaProblem = { readonly path: readonly PropertyKey[]; readonly message: string };

type Kind = "schema" | "schemas" | "map" | "items" | "type" | "texts" | "list" | "text" | "number" | "count";

const KINDS: ReadonlyMap<string, Kind> = new Map(
  Object.entries({
    schema:
      "additionalProperties unevaluatedProperties unevaluatedItems additionalItems contains propertyNames not if then else",
    schemas: "anyOf oneOf allOf prefixItems",
    map: "properties patternProperties $defs definitions dependentSchemas",
    items: "items",
    type: "type",
    texts: "required",
    list: "enum examples",
    text: "$ref $schema $id title description format pattern",
    number: "minimum maximum multipleOf",
    count: "minLength maxLength minItems maxItems minProperties maxProperties",
  } satisfies Record<Kind, string>).flatMap(([kind, keywords]) =>
    keywords.split(" ").map((keyword) => [keyword, kind as Kind] as const),
  ),
);

const TYPES = ["object", "array", "string", "number", "integer", "boolean", "null"];

const isType = (value: unknown): boolean =>
  [value].flat().length > 0 && [value].flat().every((one) => TYPES.includes(one as string));
const isListOfTexts = (value: unknown): boolean =>
  Array.isArray(value) && value.every((one) => typeof one === "string");
const isNumber = (value: unknown): boolean => typeof value === "number" || typeof value === "bigint";

/** What a value of the kind is, and how it is told; those that hold schemas are looked into as well. */
const FORMS: Readonly<Record<Kind, readonly [expected: string, fits: (value: unknown) => boolean]>> = {
  schema: ["a schema", (value) => isFields(value) || typeof value === "boolean"],
  schemas: ["a list of schemas", (value) => Array.isArray(value)],
  map: ["an object of schemas", isFields],
  items: ["a schema", (value) => isFields(value) || typeof value === "boolean" || Array.isArray(value)],
  type: [`one or more of ${TYPES.join(", ")}`, isType],
  // A boolean was the form of draft 3.
  texts: ["a list of names", (value) => typeof value === "boolean" || isListOfTexts(value)],
  list: ["a list", (value) => Array.isArray(value)],
  text: ["a string", (value) => typeof value === "string"],
  number: ["a number", isNumber],
  count: ["a number from 0", (value) => isNumber(value) && (value as number) >= 0],
};

/** Null: none. The schema must not be nested deeper than the stack. */
export function schemaProblem(schema: unknown, path: readonly PropertyKey[] = []): SchemaProblem | null {
  if (typeof schema === "boolean") return null;
  if (!isFields(schema)) return { path, message: "expected a schema" };
  for (const [keyword, value] of Object.entries(schema)) {
    const kind = KINDS.get(keyword);
    // Serializers of some languages write null for what is absent.
    if (kind === undefined || value === null) continue;
    const [expected, fits] = FORMS[kind];
    const at = [...path, keyword];
    if (!fits(value)) return { path: at, message: `expected ${expected}` };
    const inner = innerSchemas(kind, value);
    for (const [name, one] of inner) {
      const problem = schemaProblem(one, name === null ? at : [...at, name]);
      if (problem !== null) return problem;
    }
  }
  return null;
}

function innerSchemas(kind: Kind, value: unknown): [PropertyKey | null, unknown][] {
  if (kind === "map") return Object.entries(value as object);
  if (kind === "schemas" || (kind === "items" && Array.isArray(value))) return [...(value as unknown[]).entries()];
  return kind === "schema" || kind === "items" ? [[null, value]] : [];
}
