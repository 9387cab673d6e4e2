import { expect, test } from "vitest";
import { z } from "zod";
import { CommonConfigSchema } from "./common-config.ts";
import { ConfigError, intFromEnv, readConfig } from "./read-config.ts";

test("a configuration error names every invalid variable, but no value", () => {
  const schema = z.object({ PORT: intFromEnv(0, 65_535, 8_000), REDIS_URL: z.url(), NAME: z.string() });
  const read = () => readConfig(schema, { PORT: "90000", REDIS_URL: "secret-nonsense" });
  expect(read).toThrow(ConfigError);
  expect(read).toThrow(/PORT: .*\n.*REDIS_URL: .*\n.*NAME is not set$/);
  expect(read).not.toThrow(/secret-nonsense/);
});

test("an empty variable counts as not set", () => {
  expect(readConfig(z.object({ PORT: intFromEnv(0, 65_535, 8_000) }), { PORT: "" })).toEqual({ PORT: 8_000 });
});

test("a database URL of another engine is refused with the name of the variable", () => {
  const env = { REDIS_URL: "redis://127.0.0.1:6379", DATABASE_URL: "mysql://db/agents" };
  expect(() => readConfig(CommonConfigSchema, env)).toThrow(/DATABASE_URL: expected the path or file: URL/);
  expect(readConfig(CommonConfigSchema, { ...env, DATABASE_URL: "file:/data/x.db" }).DATABASE_URL).toBe(
    "file:/data/x.db",
  );
});
