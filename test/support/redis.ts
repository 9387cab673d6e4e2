// A real Redis for tests: TEST_REDIS_URL, else a container where a Docker engine answers, else the embedded server that
// `npm start` uses. Never a mock, never a skip.
import { mkdtemp, rm } from "node:fs/promises";
import { get, type RequestOptions } from "node:http";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { parseTopology } from "@agent-paas/shared/config/redis-topology.ts";
import { connectRedis } from "@agent-paas/shared/redis/connect.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import type { Redis } from "ioredis";
import { cacheDirOf, locateRedis } from "../../scripts/services/redis-binary.ts";
import { startRedis } from "../../scripts/services/redis-server.ts";
import type { Server } from "../../scripts/services/server.ts";
import { startCluster, startSentinelSet } from "./redis-sets.ts";

const IMAGE = "redis:8.2-alpine";
const REDIS_PORT = 6379;
const ENGINE_ANSWERS_WITHIN_MS = 2_000;
/** Includes a pull of the image. */
const CONTAINER_WITHIN_MS = 120_000;

export interface TestRedis {
  readonly url: string;
  stop(): Promise<void>;
}

/** One Redis for many tests; `kind` is `sentinel`, `cluster`, or undefined for one server. */
export async function startTestRedis(kind?: string): Promise<TestRedis> {
  if (kind === "sentinel") return startSentinelSet();
  if (kind === "cluster") return startCluster();
  const given = process.env.TEST_REDIS_URL;
  if (given) return { url: given, stop: async () => {} };
  if (await dockerAnswers()) {
    try {
      return await startContainer();
    } catch (error) {
      console.warn(`No Redis container (${(error as Error).message}); the tests use the embedded server`);
    }
  }
  return startPrivateRedis();
}

/** A connection to any Redis that commands wait for; on a cluster it finds the server of each of these keys. */
export function openTestRedis(url: string, keys: Pick<RedisKeys, "home" | "shards">): Redis {
  const logger = { info: () => {}, warn: () => {} };
  return connectRedis({ topology: parseTopology(url), keys, role: "worker", name: "test", logger });
}

/** A Redis for one test, always embedded: it can be killed, paused, and started again on its port with its data. */
export async function startPrivateRedis(): Promise<Server> {
  const cacheDir = await cacheDirOf(process.env, join(import.meta.dirname, "../../data/cache"));
  const binary = await locateRedis({ env: process.env, cacheDir });
  const dir = await mkdtemp(join(tmpdir(), "agent-paas-redis-"));
  const server = await startRedis({ binary, dir });
  const { stop } = server;
  return Object.assign(server, {
    async stop() {
      await stop();
      await rm(dir, { recursive: true, force: true });
    },
  });
}

async function startContainer(): Promise<TestRedis> {
  const { GenericContainer } = await import("testcontainers");
  const container = await new GenericContainer(IMAGE)
    .withCommand([
      "redis-server",
      ...["--appendonly", "yes"],
      ...["--maxmemory-policy", "noeviction"],
      // Some builds refuse clients of other machines otherwise; the port is published on this machine only.
      ...["--protected-mode", "no"],
    ])
    .withExposedPorts(REDIS_PORT)
    .withStartupTimeout(CONTAINER_WITHIN_MS)
    .start();
  return {
    url: `redis://${container.getHost()}:${container.getMappedPort(REDIS_PORT)}`,
    stop: async () => void (await container.stop()),
  };
}

async function dockerAnswers(): Promise<boolean> {
  const { DOCKER_HOST, XDG_RUNTIME_DIR = "/run" } = process.env;
  const sockets = [
    "/var/run/docker.sock",
    `${XDG_RUNTIME_DIR}/docker.sock`,
    join(homedir(), ".docker/run/docker.sock"),
  ];
  const engines = DOCKER_HOST ? [engineAt(DOCKER_HOST)] : sockets.map((socketPath) => ({ socketPath }));
  return (await Promise.all(engines.map(answersPing))).includes(true);
}

function engineAt(address: string): RequestOptions {
  const { protocol, hostname, port, pathname } = new URL(address);
  return protocol === "unix:" ? { socketPath: pathname } : { hostname, port };
}

function answersPing(engine: RequestOptions): Promise<boolean> {
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(ENGINE_ANSWERS_WITHIN_MS);
    get({ ...engine, path: "/_ping", agent: false, signal }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    }).on("error", () => resolve(false));
  });
}
