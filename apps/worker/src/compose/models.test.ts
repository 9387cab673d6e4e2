import { readConfig } from "@agent-paas/shared/config/read-config.ts";
import { expect, test } from "vitest";
import { readModelKeys, WorkerConfigSchema } from "../config.ts";
import type { ProviderAddress } from "./connections.ts";
import { createOfferedModels } from "./models.ts";

const OWN = { OPENAI_API_KEY: "own-key", OPENAI_BASE_URL: "https://own.example/v1", REDIS_URL: "redis://h" };

/** What requests for these names would ask, whom, and for what model. */
async function offered(models: unknown, env: NodeJS.ProcessEnv = {}) {
  const given = { ...OWN, LLM_MODEL: "main", MODELS: JSON.stringify(models), ...env };
  const config = readConfig(WorkerConfigSchema, given);
  const settings = { ...config, modelKeys: readModelKeys(config, given) };
  const asked: unknown[] = [];
  const { find } = createOfferedModels(settings, ({ baseUrl, apiKey, limits = {} }: ProviderAddress) => async () => ({
    model: ({ defaultModel, name, ...options }) => ({
      async *stream(request) {
        const model = request.model === undefined || request.model === name ? defaultModel : request.model;
        asked.push({ baseUrl, apiKey, limits, model, ...options });
        yield* [];
        return null as never;
      },
    }),
    embedder: () => null as never,
    close: async () => {},
  }));
  return async (name?: string) => {
    const found = find(name);
    await found.model.stream({ messages: [], model: name }, new AbortController().signal).next();
    return { name: found.name, fallbacks: found.fallbacks, bob: found.mayUse("bob"), asked: asked.pop() };
  };
}

test("what a model leaves out has the value of the setting for all", async () => {
  const ask = await offered({ named: {} }, { LLM_RESPONSE_FORMAT: "json_object", LLM_SYSTEM_ROLE: "user" });
  const common = {
    ...{ baseUrl: OWN.OPENAI_BASE_URL, apiKey: "own-key", limits: {}, responseFormat: "json_object" },
    ...{ form: { systemRole: "user" }, defaults: {}, extraBody: {} },
  };
  for (const [name, model] of [
    ["named", "named"],
    ["any-other", "any-other"],
    [undefined, "main"],
    ["main", "main"],
  ]) {
    expect(await ask(name)).toEqual({ name: model, fallbacks: [], bob: true, asked: { ...common, model } });
  }
});

test("a model has its own address, key, name, limits, options and owners", async () => {
  const own = {
    ...{ base_url: "https://far.example/v1", api_key_env: "FAR_KEY", model: "far-7", owners: ["alice"] },
    ...{ fallbacks: ["near"], limits: { idle_ms: 500 } },
    options: { stream_usage: false, top_p: 0.5, response_format: "json_schema", body: { seed: 1 } },
  };
  const ask = await offered({ far: own, near: { base_url: "http://127.0.0.1:1/v1" } }, { FAR_KEY: "far-key" });
  expect(await ask("far")).toEqual({
    ...{ name: "far", fallbacks: ["near"], bob: false },
    asked: {
      ...{ baseUrl: own.base_url, apiKey: "far-key", model: "far-7", limits: { idleMs: 500 } },
      ...{ responseFormat: "json_schema", form: { streamUsage: false }, extraBody: { seed: 1 } },
      defaults: { topP: 0.5 },
    },
  });
  // The key of the default provider goes to no other.
  expect(await ask("near")).toMatchObject({ asked: { apiKey: "none" } });
});

test("the default model may be listed, and all that are not", async () => {
  const ask = await offered({ main: { model: "main-2", fallbacks: ["b"] }, b: {}, "*": { owners: ["alice"] } });
  expect(await ask()).toMatchObject({ name: "main", fallbacks: ["b"], bob: true, asked: { model: "main-2" } });
  expect(await ask("main")).toMatchObject({ asked: { model: "main-2" } });
  expect(await ask("c")).toMatchObject({ name: "c", bob: false, asked: { model: "c" } });
  expect(await ask("*")).toMatchObject({ name: "*", bob: false, asked: { model: "*" } });
});

test("variables of keys that are not set are named, all of them", () => {
  const models = { a: { api_key_env: "KEY_A" }, b: { api_key_env: "KEY_B" }, c: { api_key_env: "KEY_C" } };
  const config = readConfig(WorkerConfigSchema, { ...OWN, MODELS: JSON.stringify(models) });
  expect(() => readModelKeys(config, { KEY_B: "b", KEY_C: "" })).toThrow(
    /MODELS\.a: the variable KEY_A is not set\n {2}MODELS\.c: the variable KEY_C is not set/,
  );
});
