/**
 * Brings the JSON Schema of a server's tool into the form of JSON Schema, as its language's serializer did not: a field
 * of null is absent (Go, C#), an empty object may be an empty list (PHP), and `exclusiveMinimum` may be draft 4's.
 * Values that the schema only quotes, such as `default`, are left as they are.
 */
import { type Fields, isFields } from "@agent-paas/shared/json/fields.ts";

/** The keywords whose values are no schemas. */
export const QUOTED: ReadonlySet<string> = new Set(["default", "const", "enum", "examples", "example"]);
const OBJECTS_OF_SCHEMAS = new Set(["properties", "patternProperties", "$defs", "definitions", "dependentSchemas"]);

/** The schema must not be nested more deeply than JSON can be written. */
export function mendSchema(schema: Fields): Fields {
  const mended: Record<string, unknown> = {};
  for (const [keyword, value] of Object.entries(schema)) {
    if (QUOTED.has(keyword)) mended[keyword] = value;
    else if (value === null) continue;
    else if (OBJECTS_OF_SCHEMAS.has(keyword)) mended[keyword] = mendEach(value);
    // Draft 3 had a boolean for each property.
    else if (keyword === "required" && !Array.isArray(value)) continue;
    else mended[keyword] = mendValue(value);
  }
  mendBound(mended, "exclusiveMinimum", "minimum");
  mendBound(mended, "exclusiveMaximum", "maximum");
  return mended;
}

function mendEach(schemas: unknown): Fields {
  if (!isFields(schemas)) return {};
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, mendValue(schema ?? {})]));
}

function mendValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(mendValue);
  return isFields(value) ? mendSchema(value) : value;
}

/** Draft 4 had a boolean beside the bound. */
function mendBound(schema: Record<string, unknown>, exclusive: string, bound: string): void {
  if (typeof schema[exclusive] !== "boolean") return;
  if (schema[exclusive] && (typeof schema[bound] === "number" || typeof schema[bound] === "bigint")) {
    schema[exclusive] = schema[bound];
    delete schema[bound];
  } else {
    delete schema[exclusive];
  }
}
