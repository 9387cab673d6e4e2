/**
 * Writes a schema of draft 2020-12 so that Ajv checks it as the draft says, and refuses by name what Ajv would check
 * wrongly without a word. `schema-suite.test.ts` holds it to the draft's official tests.
 */
import { isFields, type Fields as Schema } from "@agent-paas/shared/json/fields.ts";

/** What the value of a keyword is: a schema, schemas in a list, or schemas by names. Other values hold no schema. */
const SUBSCHEMAS: ReadonlyMap<string, "schema" | "list" | "map"> = new Map([
  ...named("schema", "additionalProperties propertyNames contains not if then else items contentSchema"),
  ...named("schema", "unevaluatedItems unevaluatedProperties"),
  ...named("list", "allOf anyOf oneOf prefixItems"),
  ...named("map", "properties patternProperties dependentSchemas $defs definitions"),
]);

function named<Kind extends string>(kind: Kind, names: string): [string, Kind][] {
  return names.split(" ").map((name) => [name, kind]);
}

/** The keywords that occur in a schema, and whether a part of it is a resource of its own. */
type Found = { readonly keywords: Set<string>; hasResources: boolean; confusesItems: boolean };

/** Throws an `Error` that names the keyword which cannot be checked. */
export function adaptSchema(schema: Schema): Schema {
  const found: Found = { keywords: new Set(), hasResources: false, confusesItems: false };
  look(schema, found, true);
  const has = (keyword: string) => found.keywords.has(keyword);
  if (has("$dynamicRef") && found.hasResources) {
    throw new Error('"$dynamicRef" is not supported in a schema whose parts have an "$id"');
  }
  if (has("unevaluatedItems") && (has("contains") || found.confusesItems)) {
    throw new Error(
      '"unevaluatedItems" is not supported together with "contains", alternatives of "items", or "if" alone',
    );
  }
  const isTracked = has("unevaluatedItems") || has("unevaluatedProperties");
  const anchors = [schema.$anchor, schema.$dynamicAnchor].map((anchor) => `#${anchor}`);
  return adapt(schema, (part) => byOwnNames(withRef(isTracked ? withAlternatives(part) : part, anchors)));
}

function look(schema: Schema, found: Found, isRoot: boolean): void {
  for (const keyword of Object.keys(schema)) found.keywords.add(keyword);
  if (!isRoot && typeof schema.$id === "string") found.hasResources = true;
  const branches = [schema.anyOf, schema.oneOf, schema.dependentSchemas, [schema.if, schema.then, schema.else]];
  const parts = branches.flatMap((branch) => Object.values(branch ?? {}));
  const isLonelyIf = schema.if !== undefined && schema.then === undefined && schema.else === undefined;
  if (isLonelyIf || parts.some((part) => isFields(part) && part.items !== undefined)) found.confusesItems = true;
  for (const part of partsOf(schema)) look(part, found, false);
}

function partsOf(schema: Schema): Schema[] {
  return Object.entries(schema).flatMap(([keyword, value]) => {
    const kind = SUBSCHEMAS.get(keyword);
    if (kind === undefined || typeof value !== "object" || value === null) return [];
    return (kind === "schema" ? [value] : Object.values(value)).filter(isFields);
  });
}

type Mend = (schema: Schema) => Schema;

function adapt(schema: Schema, mend: Mend): Schema {
  const parts = Object.entries(schema).map(([keyword, value]) => [keyword, adaptValue(keyword, value, mend)] as const);
  return mend(Object.fromEntries(parts));
}

function adaptValue(keyword: string, value: unknown, mend: Mend): unknown {
  const adaptAny = (part: unknown) => (isFields(part) ? adapt(part, mend) : part);
  switch (SUBSCHEMAS.get(keyword)) {
    case "schema":
      return adaptAny(value);
    case "list":
      return Array.isArray(value) ? value.map(adaptAny) : value;
    case "map":
      return isFields(value)
        ? Object.fromEntries(Object.entries(value).map(([name, part]) => [name, adaptAny(part)]))
        : value;
    case undefined:
      return value;
  }
}

/**
 * Within one resource a dynamic reference leads where a plain one does; Ajv looks elsewhere. It does not know anchors
 * of the root, either.
 */
function withRef(schema: Schema, anchorsOfRoot: readonly unknown[]): Schema {
  const { $dynamicRef, $ref, ...others } = schema;
  const [first, ...more] = [$ref, $dynamicRef].filter((ref) => ref !== undefined);
  if (first === undefined) return schema;
  const resolve = (ref: unknown) => ({ $ref: anchorsOfRoot.includes(ref) ? "#" : ref });
  const referring = { ...others, ...resolve(first) };
  return more.length === 0 ? referring : withMore(referring, more.map(resolve));
}

/**
 * Ajv counts what an `if` has evaluated although it does not hold, and forgets it where there is no branch. The same
 * said by alternatives takes twice as long, so it is done only where `unevaluated…` asks for it.
 */
function withAlternatives(schema: Schema): Schema {
  if (schema.if === undefined) return schema;
  const { if: condition, ...others } = schema;
  const [whenTrue = true, whenFalse = true] = [schema.then, schema.else];
  const alternatives = [{ allOf: [condition, whenTrue] }, { allOf: [{ not: condition }, whenFalse] }];
  return withMore(others, [{ anyOf: alternatives }]);
}

/** Ajv leaves `__proto__` out where it is the name of a property; patterns and conditions can say the same. */
const PROTO = "__proto__";

function byOwnNames(schema: Schema): Schema {
  const { properties, patternProperties, dependentRequired, dependentSchemas } = schema;
  let adapted = schema;
  if (hasProto(patternProperties)) {
    adapted = { ...adapted, patternProperties: renamed(patternProperties, "(?:__proto__)") };
  }
  if (hasProto(properties)) {
    const patterns = isFields(adapted.patternProperties) ? adapted.patternProperties : {};
    const own = { "^(?:__proto__)$": properties[PROTO] };
    adapted = { ...adapted, properties: withoutProto(properties), patternProperties: { ...patterns, ...own } };
  }
  const conditions = [
    ...(hasProto(dependentRequired) ? [{ required: dependentRequired[PROTO] }] : []),
    ...(hasProto(dependentSchemas) ? [dependentSchemas[PROTO]] : []),
  ].map((then) => ({ if: { required: [PROTO] }, then }));
  return conditions.length === 0 ? adapted : withMore(adapted, conditions);
}

const hasProto = (value: unknown): value is Schema => isFields(value) && Object.hasOwn(value, PROTO);

const withoutProto = (value: Schema): Schema =>
  Object.fromEntries(Object.entries(value).filter(([name]) => name !== PROTO));

const renamed = (value: Schema, name: string): Schema => ({ ...withoutProto(value), [name]: value[PROTO] });

const withMore = (schema: Schema, more: readonly Schema[]): Schema => ({
  ...schema,
  allOf: [...(Array.isArray(schema.allOf) ? schema.allOf : []), ...more],
});
