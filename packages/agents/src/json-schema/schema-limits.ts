/**
 * Refuses schemas that are larger than any that people or generators write, before a thread spends time on them. Takes
 * linear time, and a stack that does not depend on the schema.
 */

/** Objects, arrays and values of a schema together. */
const MAX_NODES = 5_000;
const MAX_DEPTH = 64;
const MAX_REFERENCES = 500;
const MAX_PATTERNS = 50;
const MAX_PATTERN_CHARS = 4_000;
/**
 * The sum of the bounds of all repetitions, like 255 for `x{1,255}`: RE2 copies what is repeated, and a class like
 * `\pL` has hundreds of ranges.
 */
const MAX_REPETITIONS = 2_000;

/** The keywords of all drafts that refer to a schema. */
const REFERENCES: ReadonlySet<string> = new Set(["$ref", "$dynamicRef", "$recursiveRef"]);

const REPETITION = /\{(\d{1,9})(?:,(\d{0,9}))?\}/g;

/** Throws an `Error` that says which limit the schema exceeds. */
export function assertWithinLimits(schema: Readonly<Record<string, unknown>>): void {
  let nodes = 0;
  let references = 0;
  const patterns: string[] = [];
  const open: { readonly value: unknown; readonly depth: number }[] = [{ value: schema, depth: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, depth } = next;
    nodes += 1;
    if (nodes + open.length > MAX_NODES) throw new Error(`the schema has more than ${MAX_NODES} parts`);
    if (typeof value !== "object" || value === null) continue;
    if (depth > MAX_DEPTH) throw new Error(`the schema is nested deeper than ${MAX_DEPTH}`);
    const entries = Object.entries(value);
    if (entries.length > MAX_NODES) throw new Error(`the schema has more than ${MAX_NODES} parts`);
    for (const [key, inner] of entries) {
      if (REFERENCES.has(key)) references += 1;
      if (key === "pattern" && typeof inner === "string") patterns.push(inner);
      if (key === "patternProperties" && typeof inner === "object") patterns.push(...Object.keys(inner ?? {}));
      open.push({ value: inner, depth: depth + 1 });
    }
  }
  if (references > MAX_REFERENCES) throw new Error(`the schema has more than ${MAX_REFERENCES} references`);
  assertPatterns(patterns);
}

function assertPatterns(patterns: readonly string[]): void {
  if (patterns.length > MAX_PATTERNS) throw new Error(`the schema has more than ${MAX_PATTERNS} patterns`);
  const together = patterns.join("\n");
  if (together.length > MAX_PATTERN_CHARS) {
    throw new Error(`the patterns of the schema are longer than ${MAX_PATTERN_CHARS} characters together`);
  }
  const repetitions = [...together.matchAll(REPETITION)].reduce(
    (sum, [, from, to]) => sum + Math.max(Number(from), Number(to || 0)),
    0,
  );
  if (repetitions > MAX_REPETITIONS) {
    throw new Error(`the patterns of the schema repeat parts more than ${MAX_REPETITIONS} times together`);
  }
}
