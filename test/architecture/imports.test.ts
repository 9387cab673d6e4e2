/**
 * Location is permission. npm hoists packages, so a forbidden import resolves without a word; these tests are what
 * holds the borders that ARCHITECTURE.md draws.
 */
import { describe, expect, test } from "vitest";
import { readSources, readText, type Source } from "../support/sources.ts";

const sources = readSources();
/** The agents of other frameworks have packages of their own, which the workspaces do not know. */
const areaOf = (file: string) =>
  /^(?:packages\/agents\/examples|test\/fixtures\/frameworks)\/[^/]+(?=\/)|^(?:apps|packages)\/[^/]+|^[^/]+/.exec(
    file,
  )?.[0] ?? "";
const EXAMPLES = ["ai-sdk", "langgraph", "openai-agents"].map((name) => `packages/agents/examples/${name}`);
const isTest = (file: string) => file.endsWith(".test.ts") || file.startsWith("test/");
const isExample = (file: string) => EXAMPLES.some((folder) => file.startsWith(`${folder}/`));
const product = sources.filter(({ file }) => /^(apps|packages)\//.test(file) && !isTest(file) && !isExample(file));

const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  // version.ts reads the root's package.json.
  "packages/shared": ["package.json"],
  "packages/agents": ["packages/shared"],
  // It is published alone, and runs in browsers.
  "packages/client": [],
  "apps/api": ["packages/shared"],
  // A page: it uses the public API and nothing else.
  "apps/playground": ["packages/client"],
  "apps/worker": ["packages/shared", "packages/agents"],
  scripts: ["packages/shared", "apps/playground"],
  ...Object.fromEntries(EXAMPLES.map((folder) => [folder, ["packages/agents"]])),
  test: [
    "packages/shared",
    "packages/agents",
    "packages/client",
    "apps/api",
    "apps/playground",
    "apps/worker",
    "scripts",
  ],
};

const importersOf = (name: string) => product.filter(({ packages }) => packages.includes(name)).map(({ file }) => file);

test("there are sources to look at", () => {
  expect(product.length).toBeGreaterThan(60);
  expect(sources.flatMap(({ own }) => own).length).toBeGreaterThan(200);
});

test("every import of an own file names a file that exists", () => {
  const known = new Set(sources.map(({ file }) => file));
  const dangling = sources.flatMap(({ file, own }) =>
    own.filter((path) => path.endsWith(".ts") && !known.has(path)).map((path) => `${file} → ${path}`),
  );
  expect(dangling).toEqual([]);
});

test("each part imports only what it may", () => {
  const forbidden = sources
    .filter(({ file }) => areaOf(file) in ALLOWED)
    .flatMap(({ file, own }) =>
      own
        .filter((path) => areaOf(path) !== areaOf(file) && !ALLOWED[areaOf(file)]?.includes(areaOf(path)))
        // A unit test may use what all tests share.
        .filter((path) => !(isTest(file) && areaOf(path) === "test"))
        .map((path) => `${file} → ${path}`),
    );
  expect(forbidden).toEqual([]);
});

test("each part imports only packages that its own package.json names", () => {
  const undeclared = sources
    .filter(({ file }) => areaOf(file) in ALLOWED)
    .flatMap(({ file, packages }) => {
      const { dependencies = {}, devDependencies = {} } = JSON.parse(readText(`${areaOf(file)}/package.json`));
      // Vitest runs all tests from the root.
      const declared = { ...dependencies, ...devDependencies, vitest: "" };
      return packages.filter((name) => !(name in declared)).map((name) => `${file} → ${name}`);
    });
  expect(undeclared).toEqual([]);
});

test("no file imports itself by a detour", () => {
  const graph = new Map(sources.map(({ file, own }) => [file, own]));
  const cycles: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(" → "));
    if (done.has(file) || path.includes(file)) return;
    for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  expect(cycles).toEqual([]);
});

describe("what only one place may do", () => {
  test.each([
    ["openai", product.map(({ file }) => file).filter((file) => file.startsWith("packages/agents/src/model/openai/"))],
    ["chromadb", ["packages/agents/src/retrieval/chroma-store.ts"]],
    ["better-sqlite3", product.map(({ file }) => file).filter((file) => file.startsWith("packages/shared/src/db/"))],
    ["express", product.map(({ file }) => file).filter((file) => file.startsWith("apps/api/"))],
  ])("%s is imported where it belongs", (name, places) => {
    expect(importersOf(name).filter((file) => !places.includes(file))).toEqual([]);
  });

  const mentions = (word: RegExp, { text }: Source) => word.test(text.replace(/^\s*(\/?\*|\/\/).*$/gm, ""));

  test("only the worker opens the database for writing", () => {
    const openers = product
      .filter((source) =>
        mentions(/\b(openStorage|openSqliteStorage|openWritableDatabase|openPostgresStorage|openPostgres)\(/, source),
      )
      .map(({ file }) => file);
    expect(openers.filter((file) => !file.startsWith("packages/shared/src/db/"))).toEqual([
      "apps/worker/src/compose/storage.ts",
      "apps/worker/src/migrate-database.ts",
    ]);
  });

  test("the files below the storage port are imported within the port only", () => {
    const inPort = (file: string) => file.startsWith("packages/shared/src/db/");
    const importers = product.filter(
      ({ file, own }) =>
        !inPort(file) && own.some((path) => /^packages\/shared\/src\/db\/(sqlite|postgres)\//.test(path)),
    );
    expect(importers.map(({ file }) => file)).toEqual([]);
  });

  test("only the entries of processes read the environment", () => {
    // The playground shows lines of a program of the reader's.
    const isShown = ({ file }: Source) => file.startsWith("apps/playground/src/snippets/");
    const readers = product
      .filter((source) => mentions(/process\.env/, source) && !isShown(source))
      .map(({ file }) => file);
    expect(readers.sort()).toEqual([
      "apps/api/src/is-ready.ts",
      "apps/api/src/main.ts",
      "apps/worker/src/is-alive.ts",
      "apps/worker/src/main.ts",
      "apps/worker/src/migrate-database.ts",
    ]);
  });

  test("the publisher lives in the worker, the subscriber and SSE in the API", () => {
    const xadd = product.filter((source) => mentions(/XADD|'PUBLISH', ARGV\[a/, source)).map(({ file }) => file);
    expect(xadd).toEqual(["apps/worker/src/events/log-order.ts", "apps/worker/src/events/publish-script.ts"]);
    const sse = product.filter((source) => mentions(/text\/event-stream/, source)).map(({ file }) => file);
    // The others read: what MCP servers write, and what the API does.
    expect(sse).toEqual([
      "apps/api/src/http/stream-format.ts",
      "packages/agents/src/tools/mcp/server-fetch.ts",
      "packages/client/src/job-stream.ts",
    ]);
  });
});

describe("habits", () => {
  test("nobody waits by waitUntilFinished or QueueEvents, or streams by job progress", () => {
    const offenders = product.filter(({ text }) => /waitUntilFinished\(|new QueueEvents|updateProgress\(/.test(text));
    expect(offenders.map(({ file }) => file)).toEqual([]);
  });

  test("no test mocks a module, is skipped or is narrowed", () => {
    const offenders = sources.filter(
      ({ file, text }) =>
        isTest(file) &&
        /\bvi\.(mock|doMock|stubGlobal)\(|\b(test|it|describe|suite)\.(skip|only|todo|skipIf|runIf)\b/.test(text) &&
        !file.startsWith("test/architecture/"),
    );
    expect(offenders.map(({ file }) => file)).toEqual([]);
  });

  test("no source says any", () => {
    const offenders = product.filter(({ text }) => /: any\b|<any\b|as any\b|any\[\]/.test(text));
    expect(offenders.map(({ file }) => file)).toEqual([]);
  });
});
