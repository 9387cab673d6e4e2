/**
 * The product as it is deployed: API and worker processes of their own, on a real Redis, a real database and the local
 * model server. Every platform has its own database, its own Redis prefix and its own ports.
 */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectionsOf } from "@agent-paas/shared/redis/connect.ts";
import { createRedisKeys, type RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import type { Redis } from "ioredis";
import { type ModelControl, modelControl } from "../../scripts/model-server/client.ts";
import { startModelServer } from "../../scripts/model-server/server.ts";
import { type Child, spawnChild } from "../../scripts/services/child.ts";
import { freePort } from "../../scripts/services/ports.ts";
import { apiKeysEntry } from "../../scripts/start/api-key.ts";
import {
  apiProcess,
  localModelEnv,
  loopbackOrigin,
  modelProcess,
  type NodeProcess,
  nodeSpec,
  workerProcess,
} from "../../scripts/start/processes.ts";
import { type ApiClient, createApiClient } from "./api-client.ts";
import { givenDatabase, newDatabase } from "./new-database.ts";
import { openTestRedis } from "./redis.ts";
import { ROOT } from "./sources.ts";

const STOP_WITHIN_MS = 15_000;

/** Two owners, so that tests can show that neither sees what the other owns. */
export const KEYS = { alice: "ap_test_key_of_alice", bob: "ap_test_key_of_bob" } as const;

/** Environment of a platform whose workers load the agents and tools of test/fixtures/agents. */
export const FIXTURE_AGENTS = { AGENTS_DIR: join(ROOT, "test/fixtures/agents") } as const;

export type ApiProcess = Child & { readonly origin: string; readonly alice: ApiClient; readonly bob: ApiClient };

export type TestPlatform = {
  /** In the order started; logs and rows name them `api-1`, `api-2`… and `worker-1`, `worker-2`… */
  readonly apis: readonly ApiProcess[];
  readonly workers: readonly Child[];
  /** The first API with the key of alice, and of bob. */
  readonly alice: ApiClient;
  readonly bob: ApiClient;
  readonly model: ModelControl;
  readonly modelOrigin: string;
  /** A connection of the test to the platform's Redis. */
  readonly redis: Redis;
  readonly keys: RedisKeys;
  readonly databaseUrl: string;
  /** Of SQLite. */
  readonly databaseFile: string;
  readonly logDir: string;
  /** On a free port, unless `PORT` names one. */
  startApi(env?: NodeJS.ProcessEnv): Promise<ApiProcess>;
  startWorker(env?: NodeJS.ProcessEnv): Promise<Child>;
  stop(): Promise<void>;
};

export type TestPlatformOptions = {
  readonly apis?: number;
  readonly workers?: number;
  /** How long a process may take to start, ms. Default: 30 s; agents of some frameworks take a while to load. */
  readonly readyWithinMs?: number;
  /** Runs the model server in a process of its own, for measurements. Default: in the process of the test. */
  readonly modelApart?: boolean;
  /** Default: the Redis that all test files share. */
  readonly redisUrl?: string;
  /** Default: a database of the platform's own, which is deleted with it. */
  readonly databaseUrl?: string;
  /** Default: one of its own. */
  readonly prefix?: string;
  /** Set for every API and worker process. */
  readonly env?: NodeJS.ProcessEnv;
  /** Fills Redis and the database before any process starts. */
  readonly prepare?: (state: PlatformState) => Promise<void>;
};

type TestModel = { readonly origin: string; stop(): Promise<unknown> };

export type PlatformState = { readonly redis: Redis; readonly prefix: string; readonly databaseFile: string };

export async function startTestPlatform(options: TestPlatformOptions = {}): Promise<TestPlatform> {
  const {
    apis: apiCount = 1,
    workers: workerCount = 1,
    readyWithinMs = 30_000,
    modelApart = false,
    env = {},
  } = options;
  const redisUrl = options.redisUrl ?? (await sharedRedisUrl());
  const dir = await mkdtemp(join(tmpdir(), "agent-paas-test-"));
  const prefix = options.prefix ?? `t${randomUUID().slice(0, 8)}`;
  const { databaseUrl: given } = options;
  const database = given === undefined ? await newDatabase(dir) : givenDatabase(given);
  const logDir = join(dir, "logs");
  const keys = createRedisKeys(prefix);
  // Fault tests stop Redis; commands wait until it is back.
  const redis = openTestRedis(redisUrl, keys);
  await options.prepare?.({ redis, prefix, ...database });
  const children: Child[] = [];
  const apis: ApiProcess[] = [];
  const workers: Child[] = [];
  let apisStarted = 0;
  let workersStarted = 0;

  const common: NodeJS.ProcessEnv = {
    PATH: process.env.PATH,
    REDIS_URL: redisUrl,
    REDIS_PREFIX: prefix,
    DATABASE_URL: database.databaseUrl,
    LOG_DIR: logDir,
    LOG_LEVEL: "debug",
    TERMINAL_LOG_LEVEL: "warn",
    SHUTDOWN_GRACE_MS: "5000",
    ...env,
  };

  /** Started once each: a test that kills a process starts a successor under its own name. */
  async function start(plan: NodeProcess): Promise<Child> {
    const child = spawnChild(nodeSpec(plan));
    children.push(child);
    await child.ready(readyWithinMs);
    return child;
  }

  async function startModelProcess(): Promise<TestModel> {
    const port = await freePort();
    const child = spawnChild(nodeSpec(modelProcess({ name: "model", port, env: common })));
    await child.ready(readyWithinMs);
    return { origin: loopbackOrigin(port), stop: () => child.stop(STOP_WITHIN_MS) };
  }

  const model = await (modelApart ? startModelProcess() : startModelServer());
  const modelOrigin = model.origin;

  async function startApi(own: NodeJS.ProcessEnv = {}): Promise<ApiProcess> {
    const number = ++apisStarted;
    const port = own.PORT === undefined ? await freePort() : Number(own.PORT);
    const apiKeys = Object.entries(KEYS)
      .map(([owner, key]) => apiKeysEntry(owner, key))
      .join(",");
    const { PROCESS_NAME: name = `api-${number}` } = own;
    const child = await start(apiProcess({ name, port, apiKeys, env: { ...common, ...own } }));
    const origin = loopbackOrigin(port);
    const clients = { alice: createApiClient(origin, KEYS.alice), bob: createApiClient(origin, KEYS.bob) };
    const api = { ...child, origin, ...clients };
    apis[number - 1] = api;
    return api;
  }

  async function startWorker(own: NodeJS.ProcessEnv = {}): Promise<Child> {
    const number = ++workersStarted;
    const { PROCESS_NAME: name = `worker-${number}` } = own;
    const modelEnv = localModelEnv(modelOrigin, "sk-test-key-of-the-model");
    const worker = await start(workerProcess({ name, env: { ...common, ...modelEnv, ...own } }));
    workers[number - 1] = worker;
    return worker;
  }

  async function stop(): Promise<void> {
    // The model stops last: workers may still call it.
    await Promise.all(children.map((child) => child.stop(STOP_WITHIN_MS)));
    await model.stop();
    await deleteKeys(redis, prefix).catch(() => {});
    redis.disconnect();
    await database.drop();
    await rm(dir, { recursive: true, force: true });
  }

  try {
    await Promise.all([
      ...Array.from({ length: apiCount }, () => startApi()),
      ...Array.from({ length: workerCount }, () => startWorker()),
    ]);
  } catch (error) {
    await stop();
    throw error;
  }
  const [first] = apis;
  if (first === undefined) throw new Error("a platform needs an API");
  return {
    apis,
    workers,
    alice: first.alice,
    bob: first.bob,
    model: modelControl(modelOrigin),
    modelOrigin,
    redis,
    keys,
    databaseUrl: database.databaseUrl,
    databaseFile: database.databaseFile,
    logDir,
    startApi,
    startWorker,
    stop,
  };
}

/** Vitest is imported here and not above, because the benchmark uses this file outside Vitest. */
async function sharedRedisUrl(): Promise<string> {
  return (await import("vitest")).inject("redisUrl");
}

async function deleteKeys(redis: Redis, prefix: string): Promise<void> {
  for (const server of connectionsOf(redis)) {
    if (server.status !== "ready") continue;
    for await (const names of server.scanStream({ match: `{${prefix}*`, count: 1_000 })) {
      await Promise.all((names as string[]).map((name) => redis.del(name)));
    }
  }
}
