/** What a JSON Schema asks for, as the field a form has for it: most of what zod writes; the rest is typed as JSON. */
export type Schema = Readonly<Record<string, unknown>>;

export type Property = { readonly name: string; readonly field: Field };

type Kind =
  | { readonly kind: "text" }
  | { readonly kind: "number" }
  | { readonly kind: "choice"; readonly values: readonly unknown[] }
  /** A list of texts; `values` for a list of choices. */
  | { readonly kind: "texts"; readonly values: readonly string[] | null }
  | { readonly kind: "group"; readonly properties: readonly Property[]; readonly required: ReadonlySet<string> }
  | { readonly kind: "json" };

export type Field = Kind & {
  readonly isNullable: boolean;
  /** Resolved: without `$ref`, and without the `null` that `isNullable` stands for. */
  readonly schema: Schema;
};

/** Deeper groups are typed as JSON: a schema may contain itself. */
const MAX_DEPTH = 4;
const MAX_PROPERTIES = 200;
const MAX_CHOICES = 200;
const MAX_REFS = 20;

export function fieldOf(schema: unknown, root: Schema = asSchema(schema), depth = 0): Field {
  const resolved = resolve(asSchema(schema), root);
  const { inner, isNullable } = withoutNull(resolved, root);
  return { ...kindOf(inner, root, depth), isNullable, schema: inner };
}

/** False for an object that has no properties. */
export const hasFields = (field: Field): boolean => field.kind !== "group" || field.properties.length > 0;

/** Whether an object with nothing set in it is one that this asks for, so far as a form can tell. */
export const mayBeEmpty = ({ kind, schema }: Field): boolean =>
  kind === "group" || (kind === "json" && schema.type === "object" && listed(schema.required).length === 0);

/** The value with `{}` where an object is needed in which nothing is set. */
export function completed(field: Field, value: unknown, isRequired = true): unknown {
  if (value === undefined && !(isRequired && mayBeEmpty(field))) return undefined;
  if (field.kind !== "group" || value === null) return value === undefined ? {} : value;
  const group = asSchema(value);
  const set = field.properties.map(({ name, field: inner }) => {
    return [name, completed(inner, group[name], field.required.has(name))] as const;
  });
  return Object.fromEntries(set.filter(([, one]) => one !== undefined));
}

function kindOf(schema: Schema, root: Schema, depth: number): Kind {
  const values = choicesOf(schema, root);
  if (values !== null) return { kind: "choice", values };
  switch (schema.type) {
    case "boolean":
      return { kind: "choice", values: [true, false] };
    case "number":
    case "integer":
      return { kind: "number" };
    case "string":
      return { kind: "text" };
    case "array":
      return listOf(schema, root);
    case "object":
      return groupOf(schema, root, depth);
    default:
      return { kind: "json" };
  }
}

function listOf(schema: Schema, root: Schema): Kind {
  if (schema.prefixItems !== undefined) return { kind: "json" };
  const items = fieldOf(schema.items, root, MAX_DEPTH);
  if (items.isNullable) return { kind: "json" };
  if (items.kind === "text") return { kind: "texts", values: null };
  if (items.kind === "choice" && items.values.every((value) => typeof value === "string")) {
    return { kind: "texts", values: items.values };
  }
  return { kind: "json" };
}

function groupOf(schema: Schema, root: Schema, depth: number): Kind {
  const properties = Object.entries(asSchema(schema.properties));
  // Without a property to set, only what allows others has a field.
  const isOpen = schema.properties === undefined || (schema.additionalProperties ?? false) !== false;
  if (properties.length === 0 && isOpen) return { kind: "json" };
  if (properties.length > MAX_PROPERTIES || depth >= MAX_DEPTH) return { kind: "json" };
  return {
    kind: "group",
    properties: properties.map(([name, one]) => ({ name, field: fieldOf(one, root, depth + 1) })),
    required: new Set(listed(schema.required).map(String)),
  };
}

/** The values of an enum, a constant, or a union of them; null for anything else. */
function choicesOf(schema: Schema, root: Schema): readonly unknown[] | null {
  if (schema.const !== undefined) return [schema.const];
  const union = alternatives(schema).map((one) => resolve(asSchema(one), root));
  const values = union.length > 0 ? union.map((one) => choicesOf(one, {})) : [listed(schema.enum)];
  if (values.some((one) => one === null || one.length === 0)) return null;
  const all = values.flatMap((one) => one ?? []);
  return all.length > MAX_CHOICES ? null : all;
}

/** `["string", "null"]`, `anyOf` with null, and an enum with null are all something that may be null. */
function withoutNull(schema: Schema, root: Schema): { readonly inner: Schema; readonly isNullable: boolean } {
  if (Array.isArray(schema.type)) {
    const types = schema.type.filter((type) => type !== "null");
    const inner = { ...schema, type: types.length === 1 ? types[0] : types };
    return { inner, isNullable: types.length < schema.type.length };
  }
  const union = alternatives(schema);
  const others = union.filter((one) => asSchema(one).type !== "null" && asSchema(one).const !== null);
  if (others.length < union.length) {
    const { anyOf: _, oneOf: __, ...around } = schema;
    const [only] = others;
    const inner = others.length === 1 ? { ...resolve(asSchema(only), root), ...around } : { ...around, anyOf: others };
    return { inner, isNullable: true };
  }
  const values = listed(schema.enum);
  if (!values.includes(null)) return { inner: schema, isNullable: false };
  return { inner: { ...schema, enum: values.filter((value) => value !== null) }, isNullable: true };
}

/** What stands beside a `$ref` overrules what it leads to. A reference that leads nowhere allows everything. */
function resolve(schema: Schema, root: Schema): Schema {
  let found = schema;
  for (let refs = 0; typeof found.$ref === "string"; refs += 1) {
    const { $ref, ...beside } = found;
    found = refs < MAX_REFS ? { ...targetOf(String($ref), root), ...beside } : beside;
  }
  return found;
}

function targetOf(ref: string, root: Schema): Schema {
  if (!ref.startsWith("#")) return {};
  const path = ref.slice(1).split("/").slice(1);
  return asSchema(path.map(unescapePointer).reduce<unknown>((at, part) => own(asSchema(at), part), root));
}

const unescapePointer = (part: string): string => part.replaceAll("~1", "/").replaceAll("~0", "~");

const own = (schema: Schema, name: string): unknown => (Object.hasOwn(schema, name) ? schema[name] : undefined);

const alternatives = ({ anyOf, oneOf }: Schema): readonly unknown[] => [...listed(anyOf), ...listed(oneOf)];

const listed = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

export const asSchema = (value: unknown): Schema =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Schema) : {};
