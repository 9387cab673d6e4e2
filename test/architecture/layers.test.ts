/** The layers of each workspace, top to bottom; ARCHITECTURE.md says what each is for. Imports run downwards only. */
import { describe, expect, test } from "vitest";
import { readSources } from "../support/sources.ts";
import { findUnlisted, findUpwardImports, type Layers } from "./layers.ts";

const LAYERS: readonly Layers[] = [
  {
    root: "apps/api/src",
    order: [
      ...["main", "is-ready", "start-api", "compose", "app"],
      ...["doors", "http", "jobs", "services"],
      ...["presence", "queue", "events", "storage"],
      ...["validation", "config"],
    ],
  },
  {
    root: "apps/worker/src",
    order: [
      ...["main", "is-alive", "migrate-database", "start-worker", "compose"],
      ...["queue", "recovery", "control", "presence"],
      ...["job", "knowledge", "run", "events", "storage"],
      "config",
    ],
  },
  {
    // The interface of an agent lies above the tools, documents and model that a context gives it; all of them share
    // what one job owns. So an agent's author reads `agent` and needs nothing above it.
    root: "packages/agents/src",
    order: [
      ...["index", "testing", "adapters", "agents", "orchestration", "answer", "registry"],
      ...["agent", "tools", "retrieval", "documents", "model", "json-schema", "threads", "job", "http"],
    ],
  },
  {
    root: "packages/client/src",
    order: [
      ...["index", "client", "knowledge", "upload", "job-stream", "jobs"],
      ...["transport", "exchange", "retries", "sse", "errors", "wire"],
    ],
  },
  {
    root: "packages/shared/src",
    order: [
      ...["lifecycle", "redis", "db", "logging", "config", "files", "net", "telemetry"],
      ...[
        "documents",
        "contract",
        "json",
        "standard-output",
        "errors",
        "version",
        "ids",
        "time",
        "text",
        "growing-text",
        "chunks-of",
      ],
    ],
  },
];

describe.each(LAYERS)("$root", (layers) => {
  test("the list of layers names every layer and no other", () => {
    expect(findUnlisted(layers)).toEqual([]);
  });

  test("imports run downwards only", () => {
    expect(findUpwardImports(layers)).toEqual([]);
  });
});

test("no product file imports the fakes of packages/agents/src/testing", () => {
  const product = readSources().filter(
    ({ file }) => /^(apps|packages)\//.test(file) && !file.endsWith(".test.ts") && !file.includes("/testing/"),
  );
  const users = product.filter(({ own }) => own.some((path) => path.includes("/src/testing/")));
  expect(users.map(({ file }) => file)).toEqual([]);
});

test("a door imports no other door", () => {
  const doorOf = (path: string) => /^apps\/api\/src\/doors\/([^/]+)\//.exec(path)?.[1];
  const across = readSources().flatMap(({ file, own }) =>
    own
      .filter((path) => doorOf(file) !== undefined && doorOf(path) !== undefined && doorOf(path) !== doorOf(file))
      .map((path) => `${file} → ${path}`),
  );
  expect(across).toEqual([]);
});
