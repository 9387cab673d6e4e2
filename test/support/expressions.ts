/** The regular expressions of the product's sources, and its calls that may take more than linear time. */
import { parseAst } from "vitest/node";
import { readSources } from "./sources.ts";

/** An expression as it is written: `/a+/g`. */
export type FoundExpression = { readonly file: string; readonly pattern: string; readonly flags: string };

export const writtenAs = ({ pattern, flags }: Pick<FoundExpression, "pattern" | "flags">): string =>
  `/${pattern}/${flags}`;

/** Calls whose time can grow faster than their input, or that run what somebody else wrote. */
const NOT_LINEAR: ReadonlySet<string> = new Set([
  "Ajv2020",
  "Function",
  "RegExp",
  "Script",
  "compile",
  "createBrotliDecompress",
  "createGunzip",
  "createInflate",
  "createInflateRaw",
  "createUnzip",
  "eval",
  "fromJSONSchema",
  "gunzipSync",
  "inflateSync",
  "brotliDecompressSync",
  "localeCompare",
  "normalize",
  "runInContext",
  "runInNewContext",
  "sort",
  "toSorted",
]);

const isProduct = (file: string): boolean =>
  /^(apps|packages)\/[^/]+\/src\//.test(file) && !file.endsWith(".test.ts") && !file.includes("/testing/");

type Node = Readonly<Record<string, unknown>>;

const isNode = (value: unknown): value is Node => typeof value === "object" && value !== null;

/** Nothing in them runs. */
const TYPES: ReadonlySet<string> = new Set([
  "TSInterfaceDeclaration",
  "TSTypeAliasDeclaration",
  "TSTypeAnnotation",
  "TSTypeParameterInstantiation",
]);

function* nodesOf(value: unknown): Generator<Node> {
  if (!isNode(value) || TYPES.has(String(value.type))) return;
  yield value;
  for (const inner of Object.values(value)) yield* nodesOf(inner);
}

/** `calls` has one entry per file and name: `packages/…/terms.ts normalize`. */
export function readExpressions(): { readonly expressions: FoundExpression[]; readonly calls: string[] } {
  const expressions: FoundExpression[] = [];
  const calls = new Set<string>();
  for (const { file, text } of readSources().filter((source) => isProduct(source.file))) {
    for (const node of nodesOf(parseAst(text, { lang: file.endsWith(".tsx") ? "tsx" : "ts" }))) {
      if (node.type === "Literal" && isNode(node.regex)) {
        const { pattern, flags } = node.regex;
        expressions.push({ file, pattern: String(pattern), flags: String(flags) });
      }
      // The name alone, because what is not called here may be passed on and called elsewhere.
      if (node.type === "Identifier" && NOT_LINEAR.has(String(node.name))) calls.add(`${file} ${node.name}`);
    }
  }
  return { expressions, calls: [...calls].sort() };
}
