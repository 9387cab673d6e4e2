/** What is wrong with a value, field by field, so far as a form can tell; the platform checks all of it again. */
import { Unreadable } from "./draft.ts";
import { asSchema, type Field, fieldOf, mayBeEmpty } from "./field.ts";

export type Problem =
  | { readonly kind: "missing" }
  | { readonly kind: "not_json" }
  | { readonly kind: "not_exact" }
  | { readonly kind: "not_a_number" }
  | { readonly kind: "not_an_integer" }
  | { readonly kind: "not_a_choice" }
  | { readonly kind: "not_of_type"; readonly type: string }
  | { readonly kind: "pattern"; readonly pattern: string }
  | {
      readonly kind: "least" | "most" | "above" | "below" | "shortest" | "longest" | "fewest" | "most_items";
      readonly bound: number;
    };

/** Longer texts are not held against a pattern here: a bad one would stop the page. */
const MAX_PATTERN_CHARS = 500;

/** Whether the value may be sent: nothing is missing, unreadable or out of bounds. */
export const isValid = (schema: unknown, value: unknown): boolean => isFine(fieldOf(schema), value, true);

function isFine(field: Field, value: unknown, isRequired: boolean): boolean {
  if (problemOf(field, value, isRequired) !== null) return false;
  if (field.kind !== "group" || (value === undefined && !isRequired) || value === null) return true;
  const group = asSchema(value);
  return field.properties.every(({ name, field: inner }) => isFine(inner, group[name], field.required.has(name)));
}

/** Of the field itself, not of those within it. */
export function problemOf(field: Field, value: unknown, isRequired: boolean): Problem | null {
  if (value === undefined) return isRequired && !mayBeEmpty(field) ? { kind: "missing" } : null;
  if (value === null && field.isNullable) return null;
  if (value instanceof Unreadable && value.isInexact) return { kind: "not_exact" };
  if (value instanceof Unreadable) return { kind: field.kind === "number" ? "not_a_number" : "not_json" };
  switch (field.kind) {
    case "text":
      return typeof value === "string" ? problemOfText(field, value) : { kind: "not_of_type", type: "string" };
    case "number":
      return typeof value === "number" ? problemOfNumber(field, value) : { kind: "not_a_number" };
    case "choice":
      return field.values.some((one) => isSame(one, value)) ? null : { kind: "not_a_choice" };
    case "texts":
      return Array.isArray(value) ? problemOfList(field, value) : { kind: "not_of_type", type: "array" };
    case "group":
      return isObject(value) ? null : { kind: "not_of_type", type: "object" };
    case "json":
      return problemOfJson(field, value);
  }
}

function problemOfText({ schema }: Field, value: string): Problem | null {
  const length = [...value].length;
  if (length < bound(schema.minLength, 0)) return { kind: "shortest", bound: bound(schema.minLength, 0) };
  if (length > bound(schema.maxLength)) return { kind: "longest", bound: bound(schema.maxLength) };
  const { pattern } = schema;
  if (typeof pattern !== "string" || length > MAX_PATTERN_CHARS) return null;
  return matches(pattern, value) ? null : { kind: "pattern", pattern };
}

function problemOfNumber({ schema }: Field, value: number): Problem | null {
  if (schema.type === "integer" && !Number.isInteger(value)) return { kind: "not_an_integer" };
  const [least, most] = [bound(schema.minimum, Number.NEGATIVE_INFINITY), bound(schema.maximum)];
  const [above, below] = [bound(schema.exclusiveMinimum, Number.NEGATIVE_INFINITY), bound(schema.exclusiveMaximum)];
  if (value < least) return { kind: "least", bound: least };
  if (value > most) return { kind: "most", bound: most };
  if (value <= above) return { kind: "above", bound: above };
  return value >= below ? { kind: "below", bound: below } : null;
}

function problemOfList({ schema, ...field }: Field, value: readonly unknown[]): Problem | null {
  if (value.length < bound(schema.minItems, 0)) return { kind: "fewest", bound: bound(schema.minItems, 0) };
  if (value.length > bound(schema.maxItems)) return { kind: "most_items", bound: bound(schema.maxItems) };
  if (field.kind !== "texts") return null;
  const items = fieldOf(schema.items);
  const inner = items.kind === "json" ? null : value.map((one) => problemOf(items, one, true)).find((one) => one);
  return inner ?? null;
}

function problemOfJson(field: Field, value: unknown): Problem | null {
  const { type } = field.schema;
  const types = (Array.isArray(type) ? type : [type]).filter((one) => typeof one === "string");
  if (types.length > 0 && !types.some((one) => isOfType(one, value))) {
    return { kind: "not_of_type", type: types.join(" | ") };
  }
  return Array.isArray(value) ? problemOfList(field, value) : null;
}

function isOfType(type: string, value: unknown): boolean {
  if (type === "array") return Array.isArray(value);
  if (type === "object") return isObject(value);
  if (type === "integer") return Number.isInteger(value);
  return type === "null" ? value === null : typeof value === type;
}

const isObject = (value: unknown): boolean => typeof value === "object" && value !== null && !Array.isArray(value);

export const isSame = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);

const bound = (value: unknown, none = Number.POSITIVE_INFINITY): number => (typeof value === "number" ? value : none);

function matches(pattern: string, value: string): boolean {
  try {
    return new RegExp(pattern, "u").test(value);
  } catch {
    return true;
  }
}
