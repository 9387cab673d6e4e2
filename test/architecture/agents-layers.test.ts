/** The folders of packages/agents form layers: an import leads to the same folder or to one further down the list. */
import { expect, test } from "vitest";
import { readSources } from "../support/sources.ts";

const ROOT = "packages/agents/src/";

/**
 * The interface of an agent lies above the tools, documents and model that a context gives it, and all of them share
 * what one job owns; so an agent's author reads `agent/` and never needs to know what lies above it.
 */
const LAYERS = [
  "index.ts",
  "testing",
  "agents",
  "orchestration",
  "answer",
  "registry",
  "agent",
  "tools",
  "retrieval",
  "model",
  "json-schema",
  "job",
];

const layerOf = (file: string): string => file.slice(ROOT.length).split("/")[0] ?? "";

// Unit tests use fakes and neighbours from every layer.
const sources = readSources().filter(({ file }) => file.startsWith(ROOT) && !file.endsWith(".test.ts"));

test("every file of packages/agents belongs to a layer, and every layer has files", () => {
  expect([...new Set(sources.map(({ file }) => layerOf(file)))].sort()).toEqual(LAYERS.toSorted());
});

test("no import in packages/agents leads to a layer further up", () => {
  const upward = sources.flatMap(({ file, own }) =>
    own
      .filter((path) => path.startsWith(ROOT) && LAYERS.indexOf(layerOf(path)) < LAYERS.indexOf(layerOf(file)))
      .map((path) => `${file} → ${path}`),
  );
  expect(upward).toEqual([]);
});

test("no product file of packages/agents imports a fake from testing", () => {
  const importers = sources.filter(({ file }) => layerOf(file) !== "testing");
  const users = importers.filter(({ own }) => own.some((path) => path.startsWith(`${ROOT}testing/`)));
  expect(users.map(({ file }) => file)).toEqual([]);
});
