/** The layers of the API: imports run downwards only, and each vendor's types stay in their own layer. */
import { expect, test } from "vitest";
import { readSources } from "../support/sources.ts";

const ROOT = "apps/api/src/";

/** From top to bottom: a file, or a folder with all that is in it. What a layer imports lies in it or below it. */
const LAYERS = [
  ["main.ts", "is-ready.ts"],
  ["start-api.ts"],
  ["compose/"],
  ["app.ts"],
  ["doors/"],
  ["http/"],
  ["jobs/"],
  ["services.ts"],
  ["presence/"],
  ["queue/"],
  ["events/"],
  ["storage/"],
  ["validation/"],
  ["config.ts"],
] as const;

const sources = readSources()
  .filter(({ file }) => file.startsWith(ROOT) && !file.endsWith(".test.ts"))
  .map(({ file, own, packages }) => ({
    path: file.slice(ROOT.length),
    imports: own.filter((path) => path.startsWith(ROOT)).map((path) => path.slice(ROOT.length)),
    packages,
  }));

const isIn = (path: string, place: string) => (place.endsWith("/") ? path.startsWith(place) : path === place);
const layerOf = (path: string) => LAYERS.findIndex((places) => places.some((place) => isIn(path, place)));

test("every file of the API belongs to one layer, and every layer has files", () => {
  const paths = sources.map(({ path }) => path);
  expect(paths.filter((path) => layerOf(path) === -1)).toEqual([]);
  const places = LAYERS.flat();
  expect(places.filter((place) => !paths.some((path) => isIn(path, place)))).toEqual([]);
});

test("imports inside the API run downwards only", () => {
  const upward = sources.flatMap(({ path, imports }) =>
    imports.filter((target) => layerOf(target) < layerOf(path)).map((target) => `${path} → ${target}`),
  );
  expect(upward).toEqual([]);
});

test("no folder of the API imports itself by way of another folder", () => {
  /** A folder stands for all that is in it; each door is a folder of its own. */
  const folderOf = (path: string) => /^(doors\/[^/]+|[^/]+)\//.exec(path)?.[1] ?? path;
  const graph = new Map<string, Set<string>>();
  for (const { path, imports } of sources) {
    const targets = graph.get(folderOf(path)) ?? new Set();
    for (const target of imports) if (folderOf(target) !== folderOf(path)) targets.add(folderOf(target));
    graph.set(folderOf(path), targets);
  }
  const reaches = (from: string, to: string, seen = new Set<string>()): boolean =>
    [...(graph.get(from) ?? [])].some((next) => {
      if (next === to) return true;
      if (seen.has(next)) return false;
      return reaches(next, to, seen.add(next));
    });
  expect([...graph.keys()].filter((folder) => reaches(folder, folder))).toEqual([]);
});

test("no door of the API imports another door", () => {
  const doorOf = (path: string) => /^doors\/([^/]+)\//.exec(path)?.[1];
  const offenders = sources.flatMap(({ path, imports }) =>
    imports
      .filter((target) => doorOf(path) !== undefined && doorOf(target) !== undefined && doorOf(target) !== doorOf(path))
      .map((target) => `${path} → ${target}`),
  );
  expect(offenders).toEqual([]);
});

test.each([
  ["express", ["app.ts", "http/", "doors/", "compose/server.ts"]],
  ["bullmq", ["queue/queues.ts"]],
  ["knex", ["storage/"]],
  ["ioredis", []],
] as const)("the API imports %s only in its own layer", (name, places) => {
  const importers = sources.filter(({ packages }) => packages.includes(name)).map(({ path }) => path);
  expect(importers.filter((path) => !places.some((place) => isIn(path, place)))).toEqual([]);
});

test("the base path of the native wire is spelt in one file of the API", () => {
  const spelling = readSources().filter(
    ({ file, text }) => file.startsWith(ROOT) && !file.endsWith(".test.ts") && text.includes("/api/v1"),
  );
  expect(spelling.map(({ file }) => file)).toEqual([`${ROOT}doors/platform/base-path.ts`]);
});
