/**
 * A package offers what its exports map names. Node itself refuses the rest, so a file that other workspaces must not
 * import needs no rule: it is not exported.
 */
import { createRequire } from "node:module";
import { join } from "node:path";
import { expect, test } from "vitest";
import { listFiles, ROOT, readSources, readText } from "../support/sources.ts";

const { resolve } = createRequire(join(ROOT, "package.json"));

/** Specifiers of own packages, also those within the text of a program that a test starts. */
const specifiers = new Set(
  readSources()
    .filter(({ file }) => !file.startsWith("test/architecture/"))
    .flatMap(({ text }) => [...text.matchAll(/(?:from |import[ (])"(@agent-paas\/[^"]+)"/g)])
    .map(([, specifier = ""]) => specifier),
);

const EXPORTS: Readonly<Record<string, string>> = JSON.parse(readText("packages/agents/package.json")).exports;
/** For the authors of plugins, who are outside this repository. */
const PUBLIC = [".", "./testing", ...["ai-sdk", "langgraph", "openai-agents"].map((name) => `./adapters/${name}`)];

const resolves = (specifier: string): boolean => {
  try {
    resolve(specifier);
    return true;
  } catch {
    return false;
  }
};

test("every imported specifier of an own package is exported by that package", () => {
  expect(specifiers.size).toBeGreaterThan(50);
  expect([...specifiers].filter((specifier) => !resolves(specifier))).toEqual([]);
});

test("packages/agents exports the plugin interface, the fakes, and exactly what other workspaces import", () => {
  const imported = [...specifiers]
    .filter((specifier) => specifier.startsWith("@agent-paas/agents"))
    .map((specifier) => specifier.replace("@agent-paas/agents", "."));
  expect(Object.keys(EXPORTS).sort()).toEqual([...new Set([...PUBLIC, ...imported])].sort());
});

test("a file of packages/agents that the exports map does not name cannot be imported from outside", () => {
  const exported = new Set(Object.values(EXPORTS));
  const internal = listFiles("packages/agents/src/**.ts")
    .map((file) => file.replace("packages/agents/", "./"))
    .filter((file) => !exported.has(file));
  expect(internal.length).toBeGreaterThan(20);
  const reachable = internal.map((file) => file.replace("./src", "@agent-paas/agents")).filter(resolves);
  expect(reachable).toEqual([]);
});
