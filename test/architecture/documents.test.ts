/** Documents age; these are the parts of them that the code can check. */

import { ERROR_CODES } from "@agent-paas/shared/errors/codes.ts";
import { describe, expect, test } from "vitest";
import { createRoutes } from "../../apps/api/src/app.ts";
import { ApiConfigSchema } from "../../apps/api/src/config.ts";
import { platformDoor } from "../../apps/api/src/doors/platform/index.ts";
import type { Services } from "../../apps/api/src/services.ts";
import { WorkerConfigSchema } from "../../apps/worker/src/config.ts";
import { listFiles, readText } from "../support/sources.ts";

const FOLDERS = ["docs", "docs/zh-CN"] as const;

/** The cells of the tables' rows that begin with a word in code style. */
const rowsOf = (text: string) =>
  text
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim().replace(/^`|`$/g, "")),
    );

const SCHEMAS = { API: ApiConfigSchema, worker: WorkerConfigSchema };
const REQUIRED = { REDIS_URL: "redis://127.0.0.1:6379", API_KEYS: `a:${"0".repeat(64)}`, OPENAI_API_KEY: "k" };

/** An empty list, which no document spells. */
const NO_TEXT = { CORS_ORIGINS: [], HTTP_FETCH_ALLOWED_HOSTS: [] };

/** Variable → default as the code has it; null where there is none. */
const variables = new Map(
  Object.values(SCHEMAS).flatMap((schema) => {
    const defaults: Record<string, unknown> = schema.parse(REQUIRED);
    return Object.keys(schema.shape).map(
      (name) => [name, name in REQUIRED || name in NO_TEXT ? null : (defaults[name] ?? null)] as const,
    );
  }),
);

describe.each(FOLDERS)("%s", (folder) => {
  test("api.md lists every error code with its status and whether it may succeed later", () => {
    const listed = rowsOf(readText(`${folder}/api.md`))
      .filter(([code = "", status = ""]) => /^[a-z_]+$/.test(code) && /^\d{3}$/.test(status))
      .map(([code, status, later]) => [code, status, later]);
    const words = folder === "docs" ? ["no", "yes"] : ["否", "是"];
    const actual = Object.entries(ERROR_CODES).map(([code, { status, retryable }]) => [
      code,
      `${status}`,
      words[retryable ? 1 : 0],
    ]);
    expect(listed).toEqual(actual);
  });

  test("api.md lists every route of every door", () => {
    const text = readText(`${folder}/api.md`);
    const listed = rowsOf(text)
      .map(([route = ""]) => route)
      .filter((route) => /^(GET|POST|PATCH|DELETE) \//.test(route));
    // The page names the platform's routes below its base path, which it states once; routes of other doors in full.
    expect(text).toContain(`\`${platformDoor.basePath}\``);
    const routes = createRoutes({} as Services).map(({ door, route, path }) => {
      const shown = door === platformDoor ? route.path : path;
      return `${route.method.toUpperCase()} ${shown.replace(/:(\w+)/g, "{$1}")}`;
    });
    expect(listed.sort()).toEqual(routes.sort());
  });

  test("configuration.md lists every variable with its default", () => {
    const listed = rowsOf(readText(`${folder}/configuration.md`)).filter(([name = ""]) => /^[A-Z_]+$/.test(name));
    expect(listed.map(([name]) => name).sort()).toEqual([...variables.keys()].sort());
    for (const [name = "", , stated] of listed) {
      const value = variables.get(name);
      if (value !== null) expect(stated, name).toBe(String(value));
    }
  });
});

test("every test that ARCHITECTURE.md shows an invariant in exists", () => {
  // What stands in parentheses names the part of a test that shows the invariant.
  const shown = [...readText("ARCHITECTURE.md").matchAll(/^\| I\d \|.*\|([^|]+)\|$/gm)]
    .map(([, cell = ""]) => cell.replace(/\([^)]*\)/g, ""))
    .flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name));
  expect(shown.length).toBeGreaterThan(25);
  const exists = (name: string) =>
    name.startsWith("npm run ")
      ? name.replace("npm run ", "") in JSON.parse(readText("package.json")).scripts
      : listFiles(`test/*/${name}.test.ts`).length > 0;
  expect(shown.filter((name) => !exists(name))).toEqual([]);
});

test("the agent in the documents is the example that the tests run", () => {
  const files = ["README.md", "README.zh-CN.md", ...FOLDERS.map((folder) => `${folder}/writing-agents.md`)];
  for (const file of files) expect(readText(file)).toContain(readText("packages/agents/examples/shout.ts"));
});

test(".env.example names every variable with its default", () => {
  const lines = [...readText(".env.example").matchAll(/^#?([A-Z_]+)=(.*)$/gm)].map(
    ([, name = "", value = ""]) => [name, value] as const,
  );
  const documented = new Map(lines);
  expect([...variables.keys()].filter((name) => !documented.has(name))).toEqual([]);
  for (const [name, value] of variables) if (value !== null) expect(documented.get(name), name).toBe(String(value));
});

test("docker-compose.yml passes every variable on, but those that the image or the compose file settles", () => {
  const settled = ["DATABASE_URL", "LOG_DIR", "TERMINAL_LOG_FORMAT", "PROCESS_NAME", "HOST", "AGENTS_DIR"];
  const passed = [...readText("docker-compose.yml").matchAll(/^\s+([A-Z_]+):/gm)].map(([, name = ""]) => name);
  const ofCompose = ["PORT", ...settled];
  expect([...variables.keys()].filter((name) => !passed.includes(name) && !ofCompose.includes(name))).toEqual([]);
  // What the containers of others read.
  const others = ["REDISCLI_AUTH", "NODE", "SENTINELS", "POSTGRES_DB", "POSTGRES_PASSWORD"];
  expect(passed.filter((name) => !variables.has(name) && !others.includes(name))).toEqual([]);
});

test("no lock file names a download address, and the root's spares machines without a compiler a build", () => {
  const lock = JSON.parse(readText("package-lock.json"));
  const locks = listFiles("*package-lock.json");
  expect(locks).toHaveLength(4);
  for (const file of locks) expect(readText(file), file).not.toMatch(/"resolved": "[a-z+]+:/);
  expect(lock.packages["node_modules/better-sqlite3"]).toMatchObject({ gypfile: false });
});
