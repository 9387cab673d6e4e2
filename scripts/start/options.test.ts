import { expect, test } from "vitest";
import { resolveOptions, UsageError } from "./options.ts";

const resolve = (argv: readonly string[], env: NodeJS.ProcessEnv = {}) => resolveOptions(argv, env, "/root-of-project");

test("without options every service is embedded and all data lies below the project", () => {
  expect(resolve([])).toMatchObject({
    help: false,
    host: "127.0.0.1",
    port: 8000,
    workers: 2,
    dataDir: "/root-of-project/data",
    logDir: "/root-of-project/logs",
    databaseUrl: "/root-of-project/data/agent-paas.db",
    redisUrl: undefined,
    chromaUrl: undefined,
    model: undefined,
    apiKeys: undefined,
  });
});

test("flags win over the environment, and an empty variable is an unset one", () => {
  const env = { PORT: "9000", HOST: "", DATA_DIR: "elsewhere", LOG_DIR: "off" };
  expect(resolve(["--port", "9001", "--workers=4"], env)).toMatchObject({
    host: "127.0.0.1",
    port: 9001,
    workers: 4,
    dataDir: "/root-of-project/elsewhere",
    databaseUrl: "/root-of-project/elsewhere/agent-paas.db",
    logDir: undefined,
  });
});

test("the embedded Redis gets a limit of memory, which the environment can set", () => {
  const byDefault = resolve([]).redisMaxMemoryBytes;
  expect(byDefault).toBeGreaterThanOrEqual(256 * 1_048_576);
  expect(byDefault).toBeLessThanOrEqual(2_048 * 1_048_576);
  expect(resolve([], { REDIS_MAXMEMORY_MB: "64" }).redisMaxMemoryBytes).toBe(64 * 1_048_576);
  expect(() => resolve([], { REDIS_MAXMEMORY_MB: "1" })).toThrow(UsageError);
});

test("a key or a base URL alone selects the operator's own model", () => {
  expect(resolve([], { OPENAI_API_KEY: "k", LLM_MODEL: "m" }).model).toEqual({ apiKey: "k", where: "m" });
  expect(resolve([], { OPENAI_BASE_URL: "http://127.0.0.1:1/v1" }).model).toEqual({
    apiKey: "none",
    where: "the default model at http://127.0.0.1:1/v1",
  });
});

test("an error for bad options names all bad values", () => {
  const bad = () => resolve(["--workers", "0"], { PORT: "8o", SHUTDOWN_GRACE_MS: "-1" });
  expect(bad).toThrow(UsageError);
  expect(bad).toThrow(/PORT must .* "8o"\n--workers must .* "0"\nSHUTDOWN_GRACE_MS must .* "-1"/);
});

test.each([["--unknown"], ["extra"], ["--port"]])("the flag %s is refused with a pointer to the help", (flag) => {
  expect(() => resolve([flag])).toThrow(/npm start -- --help/);
});

test("--watch names the folder of agents, and is refused without one", () => {
  expect(resolve([], { AGENTS_DIR: "agents" }).watch).toBeUndefined();
  expect(resolve(["--watch"], { AGENTS_DIR: "agents" }).watch).toBe("/root-of-project/agents");
  expect(() => resolve(["--watch"])).toThrow("--watch needs AGENTS_DIR");
  expect(() => resolve([], { npm_config_watch: "true" })).toThrow("Put -- before the options");
});
