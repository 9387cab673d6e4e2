/**
 * The schemas of tool arguments as every provider takes them. One tool whose schema a provider refuses fails the whole
 * request, so what is commonly refused is mended: objects without `properties`, arrays without `items`, null and
 * boolean keywords, choices and other types than `object` at the top, `$schema`. A mended schema accepts whatever the
 * original accepts: the tool checks its arguments itself.
 */
import { isFields, type Fields as Schema } from "@agent-paas/shared/json/fields.ts";

/** Deeper schemas are cut off: no provider takes them, and nothing here may exhaust the stack. */
const MAX_DEPTH = 40;

/** Keywords whose value is a schema, a list of schemas, or schemas by name. */
const SINGLE = new Set([
  ...["items", "additionalProperties", "unevaluatedProperties", "unevaluatedItems", "contains", "propertyNames"],
  ...["not", "if", "then", "else", "additionalItems"],
]);
const LISTS = new Set(["anyOf", "oneOf", "allOf", "prefixItems"]);
const MAPS = new Set(["properties", "patternProperties", "$defs", "definitions", "dependentSchemas"]);
/** They say nothing about arguments, and Gemini refuses them. */
const DROPPED = new Set(["$schema", "$id", "$comment"]);
/** Refused by OpenAI at the top of a schema. */
const CHOICES = ["anyOf", "oneOf", "allOf"] as const;
const NOT_AT_TOP = new Set<string>([...CHOICES, "not", "enum", "const", "if", "then", "else"]);

/** Pure and idempotent; the result is always a schema with `type: "object"` and `properties`. */
export function providerSchema(parameters: unknown): Schema {
  const { type: _, ...mended } = mend(isFields(parameters) ? flatten(parameters) : {}, 0);
  return { type: "object", properties: {}, ...mended };
}

/** Joins the choices at the top: each of their properties may be given, those that `allOf` requires must be. */
function flatten(schema: Schema): Schema {
  const rest = Object.fromEntries(Object.entries(schema).filter(([name]) => !NOT_AT_TOP.has(name)));
  const branches = CHOICES.flatMap((name) =>
    listOf(schema[name]).map((branch) => ({ name, branch: resolve(branch, schema) })),
  );
  if (branches.length === 0) return rest;
  const properties = Object.fromEntries(
    [...branches.map(({ branch }) => branch), rest].flatMap((one) => Object.entries(objectOf(one.properties))),
  );
  const all = branches.filter(({ name }) => name === "allOf").map(({ branch }) => branch);
  const required = [...new Set([rest, ...all].flatMap((one) => listOf(one.required)))];
  const { additionalProperties: __, ...open } = rest;
  return { ...open, properties, ...(required.length === 0 ? {} : { required }) };
}

/** A choice is often a reference into the schema's own definitions. */
function resolve(branch: unknown, { $defs, definitions }: Schema): Schema {
  if (!isFields(branch)) return {};
  const [, place, name] = String(branch.$ref ?? "").split("/");
  const known = place === "$defs" ? objectOf($defs) : place === "definitions" ? objectOf(definitions) : {};
  const found = name !== undefined && Object.hasOwn(known, name) ? known[name] : branch;
  return isFields(found) ? found : {};
}

function mend(schema: unknown, depth: number): Schema {
  // `true` accepts everything, as `{}` does; `false` stands for nothing that a model could send.
  if (!isFields(schema) || depth > MAX_DEPTH) return schema === false ? { not: {} } : {};
  const entries = Object.entries(schema).flatMap(([name, value]) => mendKeyword(name, value, depth));
  return complete(Object.fromEntries(entries));
}

function mendKeyword(name: string, value: unknown, depth: number): [string, unknown][] {
  if (DROPPED.has(name) || value === undefined) return [];
  // Null is a value in these, and nowhere else.
  if (value === null) return name === "default" || name === "const" ? [[name, value]] : [];
  if (MAPS.has(name)) return isFields(value) ? [[name, mendMap(value, depth)]] : [];
  if (LISTS.has(name)) return mendList(name, value, depth);
  if (name === "items" && Array.isArray(value)) return [["items", mendTuple(value, depth)]];
  if (SINGLE.has(name)) {
    // These are commonly boolean, and accepted so.
    if (typeof value === "boolean" && name !== "items" && name !== "contains") return [[name, value]];
    return isFields(value) || typeof value === "boolean" ? [[name, mend(value, depth + 1)]] : [];
  }
  if (name === "required") return mendRequired(value);
  if (name === "enum") return Array.isArray(value) && value.length > 0 ? [[name, value]] : [];
  return [[name, value]];
}

const mendMap = (map: Schema, depth: number): Schema =>
  Object.fromEntries(Object.entries(map).map(([name, schema]) => [name, mend(schema, depth + 1)]));

function mendList(name: string, value: unknown, depth: number): [string, unknown][] {
  const schemas = listOf(value).map((schema) => mend(schema, depth + 1));
  return schemas.length === 0 ? [] : [[name, schemas]];
}

/** The form of older drafts, a schema for each place. */
function mendTuple(places: readonly unknown[], depth: number): Schema {
  const schemas = places.map((schema) => mend(schema, depth + 1));
  const [only = {}] = schemas;
  return schemas.length < 2 ? only : { anyOf: schemas };
}

/** A boolean is the form of the oldest drafts, in which the property and not its object says it. */
function mendRequired(value: unknown): [string, unknown][] {
  const names = [...new Set(listOf(value).filter((name) => typeof name === "string"))];
  return names.length === 0 ? [] : [["required", names]];
}

/** Adds what providers demand beside a type. */
function complete(schema: Schema): Schema {
  const isTyped = (type: string) => schema.type === type || listOf(schema.type).includes(type);
  if (isTyped("object") || schema.properties !== undefined) {
    const properties = objectOf(schema.properties);
    const isDefined = (name: unknown) => Object.hasOwn(properties, String(name));
    const entries = Object.entries({ type: "object", ...schema, properties }).flatMap(([name, value]) => {
      const kept = name === "required" ? listOf(value).filter(isDefined) : value;
      return name === "required" && listOf(kept).length === 0 ? [] : [[name, kept] as const];
    });
    return completeArray(Object.fromEntries(entries), isTyped("array"));
  }
  return completeArray(schema, isTyped("array") || schema.items !== undefined || schema.prefixItems !== undefined);
}

const completeArray = (schema: Schema, isArray: boolean): Schema =>
  isArray ? { type: "array", ...schema, items: schema.items ?? {} } : schema;

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const objectOf = (value: unknown): Schema => (isFields(value) ? value : {});
