/**
 * Null as absence: models, and clients whose languages have no absent fields, send null for a field that they leave
 * out. It is dropped where the schema lets the field be absent and does not take null itself.
 */
import { isFields, type Fields as Schema } from "./fields.ts";

/** A reference may refer to a reference; more hops are a circle. */
const MAX_HOPS = 8;

/** `schema` is a JSON Schema. The value itself is not changed; it is returned if there is nothing to drop. */
export function withoutAbsentNulls(schema: unknown, value: unknown): unknown {
  return isFields(schema) ? drop(schema, schema, value) : value;
}

function drop(root: Schema, given: unknown, value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const schema = resolve(root, given);
  if (schema === null) return value;
  if (Array.isArray(value)) {
    const { items } = schema;
    if (!isFields(items)) return value;
    const kept = value.map((item: unknown) => drop(root, items, item));
    return kept.some((item, at) => item !== value[at]) ? kept : value;
  }
  const { properties, required } = schema;
  if (!isFields(properties)) return value;
  const isRequired = (field: string) => Array.isArray(required) && required.includes(field);
  let isChanged = false;
  const kept: [string, unknown][] = [];
  for (const [field, inner] of Object.entries(value)) {
    if (!Object.hasOwn(properties, field)) {
      kept.push([field, inner]);
      continue;
    }
    if (inner === null && !isRequired(field) && !takesNull(root, properties[field], MAX_HOPS)) {
      isChanged = true;
      continue;
    }
    const changed = drop(root, properties[field], inner);
    isChanged ||= changed !== inner;
    kept.push([field, changed]);
  }
  return isChanged ? Object.fromEntries(kept) : value;
}

/** True as well for what this cannot judge: then the null stays. */
function takesNull(root: Schema, given: unknown, hops: number): boolean {
  if (given === false) return false;
  const schema = resolve(root, given);
  if (schema === null || hops === 0 || schema.nullable === true) return true;
  const { type, anyOf, oneOf, allOf } = schema;
  if (type !== undefined && type !== "null" && !(Array.isArray(type) && type.includes("null"))) return false;
  if ("const" in schema && schema.const !== null) return false;
  if (Array.isArray(schema.enum) && !schema.enum.includes(null)) return false;
  const takes = (inner: unknown) => takesNull(root, inner, hops - 1);
  if (Array.isArray(allOf) && !allOf.every(takes)) return false;
  return [anyOf, oneOf].every((either) => !Array.isArray(either) || either.some(takes));
}

/** The schema that a local reference refers to; null for what is none. */
function resolve(root: Schema, given: unknown): Schema | null {
  let schema = given;
  for (let hop = 0; hop < MAX_HOPS; hop++) {
    if (!isFields(schema)) return null;
    const { $ref } = schema;
    if (typeof $ref !== "string") return schema;
    if (!$ref.startsWith("#")) return null;
    schema = $ref
      .slice(1)
      .split("/")
      .slice(1)
      .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))
      .reduce<unknown>((at, part) => (isFields(at) && Object.hasOwn(at, part) ? at[part] : null), root);
  }
  return null;
}
