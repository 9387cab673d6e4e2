/**
 * Which schemas are quick for certain. The keywords below are known to take about one step per part of the schema and
 * character of the value, whatever both are; any other keyword may take exponential time, as references that fork do.
 */

/** How many characters of JSON a value may have for its check to be quick; 0: not even compiling is. */
export type PlainChars = number;

/** What the value of a keyword is: nothing that is checked, a schema, schemas in a list, or schemas by names. */
type Kind = "data" | "schema" | "list" | "map";

const keywords = (kind: Kind, names: string): [string, Kind][] => names.split(" ").map((name) => [name, kind]);

/** `contains`, `uniqueItems` and `unevaluated*` are not linear; `$id` and `$anchor` are slow to compile. */
const PLAIN_KEYWORDS: ReadonlyMap<string, Kind> = new Map([
  ...keywords("data", "$comment $schema title description default examples deprecated readOnly writeOnly"),
  ...keywords("data", "type nullable enum const format contentEncoding contentMediaType"),
  ...keywords("data", "minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength"),
  ...keywords("data", "minItems maxItems minProperties maxProperties required dependentRequired"),
  ...keywords("schema", "items additionalProperties propertyNames not if then else"),
  ...keywords("list", "allOf anyOf oneOf prefixItems"),
  ...keywords("map", "properties dependentSchemas $defs definitions"),
]);

/** A larger schema takes some 0.1 s to compile, and one with more in its names: each check repeats its path. */
const MAX_PARTS = 300;
const MAX_NAME_CHARS = 2_000;

/** Parts of the schema times characters of the value; more of them take more than some 0.1 s. */
const MAX_STEPS = 1_000_000;

type Found = { parts: number; nameChars: number; hasAlternatives: boolean; hasNamesOfValue: boolean };

export function plainCharsOf(schema: Readonly<Record<string, unknown>>): PlainChars {
  const found: Found = { parts: 0, nameChars: 0, hasAlternatives: false, hasNamesOfValue: false };
  if (!readPlain(schema, found) || found.nameChars > MAX_NAME_CHARS) return 0;
  // Each alternative that fails describes its place, which holds the names of the value: quadratic in the value.
  if (found.hasAlternatives && found.hasNamesOfValue) return 0;
  return Math.floor(MAX_STEPS / found.parts);
}

type Item = { readonly value: unknown; readonly kind: Kind };

/** False when the schema holds what is not known to be quick. */
function readPlain(schema: unknown, found: Found): boolean {
  const open: Item[] = [{ value: schema, kind: "schema" }];
  for (let item = open.pop(); item !== undefined; item = open.pop()) {
    found.parts += 1;
    if (found.parts + open.length > MAX_PARTS) return false;
    const { value, kind } = item;
    if (typeof value !== "object" || value === null) continue;
    const entries = Object.entries(value);
    if (entries.length > MAX_PARTS) return false;
    for (const [name, inner] of entries) {
      const ownKind = kindOf(kind, name);
      if (ownKind === undefined) return false;
      if (kind === "schema") note(name, inner, found);
      else if (kind === "map") found.nameChars += name.length;
      open.push({ value: inner, kind: ownKind });
    }
  }
  return true;
}

function kindOf(parent: Kind, name: string): Kind | undefined {
  if (parent === "schema") return PLAIN_KEYWORDS.get(name);
  return parent === "data" ? "data" : "schema";
}

function note(keyword: string, value: unknown, found: Found): void {
  if (keyword === "anyOf" || keyword === "oneOf") found.hasAlternatives = true;
  if (keyword === "additionalProperties" && typeof value === "object") found.hasNamesOfValue = true;
}
