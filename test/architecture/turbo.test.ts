/**
 * `turbo` takes the result of a type check from its cache while none of the check's inputs has changed. An input that
 * turbo.json does not name would let a broken type pass; these tests hold that it names them all.
 */
import { expect, test } from "vitest";
import { listFiles, readSources, readText } from "../support/sources.ts";

type Task = { readonly cache?: boolean; readonly dependsOn?: readonly string[]; readonly inputs?: readonly string[] };

const turbo: { globalDependencies: string[]; tasks: Record<string, Task> } = JSON.parse(readText("turbo.json"));
const sources = new Map(readSources().map((source) => [source.file, source]));

const workspaces = new Map(
  listFiles("*package.json")
    .filter((file) => file !== "package.json" && !file.includes("/examples/"))
    .map((file) => {
      const { name, dependencies = {}, devDependencies = {} } = JSON.parse(readText(file));
      const needs = Object.keys({ ...dependencies, ...devDependencies }).filter((each) =>
        each.startsWith("@agent-paas/"),
      );
      return [String(name), { folder: file.replace("package.json", ""), needs }] as const;
    }),
);

const typesOf = (name: string) => turbo.tasks[`${name}#types`] ?? turbo.tasks.types;

/** The workspace's folder and those of the workspaces it depends on, near and far: turbo's `transit` hashes them. */
function foldersOf(name: string): string[] {
  const { folder = "", needs = [] } = workspaces.get(name) ?? {};
  return [folder, ...needs.flatMap(foldersOf)];
}

/** All files of the project that a type check of the workspace reads. */
function readBy(name: string): Set<string> {
  const { folder = "" } = workspaces.get(name) ?? {};
  const seen = new Set<string>();
  const visit = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const next of sources.get(file)?.own ?? []) visit(next);
  };
  for (const file of sources.keys()) if (file.startsWith(folder)) visit(file);
  return seen;
}

test.each([...workspaces.keys()])("the cached type check of %s has all that it reads as inputs", (name) => {
  const { inputs = [], dependsOn, cache } = typesOf(name) ?? {};
  expect({ dependsOn, cache }).toEqual({ dependsOn: ["transit"], cache: undefined });
  expect(inputs).toEqual(expect.arrayContaining(["**/*.ts", "tsconfig.json", "package.json"]));
  const named = [...turbo.globalDependencies, ...inputs.map((input) => input.replace("$TURBO_ROOT$/", ""))];
  const globs = named.filter((input) => input.endsWith("/**")).map((input) => input.slice(0, -"**".length));
  const folders = [...foldersOf(name), ...globs];
  const unseen = [...readBy(name)].filter(
    (file) => !named.includes(file) && !folders.some((folder) => file.startsWith(folder)),
  );
  expect(unseen).toEqual([]);
});

test("a change in a workspace, the lock file or the compiler's options invalidates all that depends on it", () => {
  expect(turbo.tasks.transit?.dependsOn).toEqual(["^transit"]);
  expect(turbo.tasks.transit?.inputs).toEqual(turbo.tasks.types?.inputs);
  expect(turbo.globalDependencies).toEqual(["package.json", "package-lock.json", "tsconfig.base.json"]);
});

test.each(["//#test", "//#test:unit"])(
  "%s follows the lint and the types of all workspaces, and is never cached",
  (task) => {
    const { cache, dependsOn = [] } = turbo.tasks[task] ?? {};
    expect(cache).toBe(false);
    expect([...dependsOn].sort()).toEqual(["//#lint", ...[...workspaces.keys()].map((name) => `${name}#types`)].sort());
  },
);
