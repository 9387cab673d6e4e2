/**
 * The processes of a run: APIs, workers, a private Redis, a model server, a database and folders. Every process can
 * be killed, paused, stopped and started again with the same name, port and data; the platform of test/support starts
 * each process once instead.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { SECOND } from "@agent-paas/shared/time.ts";
import { freePort } from "../../scripts/services/ports.ts";
import { createRestartableProcess, type RestartableProcess } from "../../scripts/services/restartable-process.ts";
import type { Server } from "../../scripts/services/server.ts";
import { apiKeysEntry } from "../../scripts/start/api-key.ts";
import {
  apiProcess,
  localModelEnv,
  loopbackOrigin,
  modelProcess,
  type NodeProcess,
  nodeSpec,
  ROOT,
  workerProcess,
} from "../../scripts/start/processes.ts";
import type { DatabaseKind } from "../support/database-kind.ts";
import { startPrivateRedis } from "../support/redis.ts";
import { type RedisNode, type RedisSet, startCluster, startSentinelSet } from "../support/redis-sets.ts";
import { createRunDatabase, type RunDatabase } from "./database.ts";
import type { RedisKind } from "./options.ts";
import { createSurroundings, type Surroundings, type Wanted } from "./surroundings.ts";

/** The platform promises 30 s; a process that takes longer is killed and counts as an incident. */
const STOP_WITHIN_MS = 30 * SECOND;
const MODEL_STOP_WITHIN_MS = 5 * SECOND;

export const API_KEY = "ap_chaos_key";
/** The key of another owner, who floods the platform. */
export const FLOOD_KEY = "ap_flood_key";
const REDIS_PREFIX = "chaos";

export type Stack = {
  readonly dir: string;
  readonly apis: readonly (RestartableProcess & { readonly origin: string })[];
  readonly workers: readonly RestartableProcess[];
  /** Of a set, whoever is master at the time. */
  readonly redis: Pick<Server, "url" | "pid" | "kill" | "start" | "pause" | "resume">;
  /** Null: it is one server. */
  readonly redisSet: RedisSet | null;
  readonly redisUrl: string;
  /** Of each server that has a part of what Redis keeps. */
  readonly redisUrls: () => Promise<readonly string[]>;
  readonly redisPrefix: string;
  readonly modelOrigin: string;
  readonly database: RunDatabase;
  readonly databaseUrl: string;
  readonly effectsFile: string;
  /** The folder in which files arm the crash points of workers; see crash-at.ts. */
  readonly armedDir: string;
  readonly surroundings: Surroundings;
  stop(): Promise<void>;
};

export type StackOptions = {
  readonly dir: string;
  readonly database: DatabaseKind;
  readonly apis: number;
  readonly workers: number;
  readonly redis?: RedisKind;
  readonly env?: NodeJS.ProcessEnv;
  readonly workerEnv?: NodeJS.ProcessEnv;
  /** Set for one API or worker, by its name. */
  readonly envOf?: (name: string) => NodeJS.ProcessEnv;
  readonly surroundings?: Wanted;
};

/** `NODE_OPTIONS` of both are kept: each loads something into the process. */
function withOwn(env: NodeJS.ProcessEnv, own: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const options = [env.NODE_OPTIONS, own.NODE_OPTIONS].filter(Boolean).join(" ");
  return { ...env, ...own, ...(options !== "" && { NODE_OPTIONS: options }) };
}

/** One key stands for many owners. */
const SHARES = { MAX_QUEUED_JOBS: "20000", MAX_WAITING_JOBS_PER_OWNER: "20000", MAX_OPEN_STREAMS_PER_OWNER: "100000" };

export async function startStack({ dir, database: kind, apis, workers, ...options }: StackOptions): Promise<Stack> {
  const { workerEnv = {}, envOf = () => ({}) } = options;
  const [effectsFile, armedDir] = [join(dir, "effects"), join(dir, "armed")];
  await mkdir(armedDir);
  await writeFile(effectsFile, "");
  const { redis, redisSet, stopRedis } = await startRedisOf(options.redis ?? "single");
  const surroundings = await createSurroundings(dir, redis.url, kind, options.surroundings ?? {});
  const { links } = surroundings;
  const database = await createRunDatabase(kind, surroundings.databaseDir, surroundings.disk?.dir ?? null);
  const common: NodeJS.ProcessEnv = {
    PATH: process.env.PATH,
    REDIS_URL: redis.url,
    REDIS_PREFIX,
    DATABASE_URL: database.url,
    LOG_DIR: surroundings.logDir,
    LOG_LEVEL: "debug",
    TERMINAL_LOG_LEVEL: "fatal",
    SHUTDOWN_GRACE_MS: "5000",
    ...options.env,
  };
  const started: RestartableProcess[] = [];
  async function start(plan: NodeProcess, stopWithinMs = STOP_WITHIN_MS): Promise<RestartableProcess> {
    const restartable = createRestartableProcess(nodeSpec(plan), stopWithinMs);
    started.push(restartable);
    await restartable.start();
    return restartable;
  }
  async function stop(): Promise<void> {
    // The model server was started first and is stopped last, because workers may still be calling it.
    const [model, ...others] = started;
    await Promise.all(others.map((other) => other.stop()));
    await model?.stop();
    await stopRedis();
    await database.stop();
    await surroundings.remove();
  }
  try {
    const modelPort = await freePort();
    const modelOrigin = loopbackOrigin(modelPort);
    await start(modelProcess({ name: "model", port: modelPort, env: common }), MODEL_STOP_WITHIN_MS);
    const workerVariables: NodeJS.ProcessEnv = {
      ...common,
      ...localModelEnv(modelOrigin, "sk-chaos"),
      MODEL_FIRST_TOKEN_TIMEOUT_MS: "5000",
      MODEL_IDLE_TIMEOUT_MS: "5000",
      AGENTS_DIR: join(ROOT, "test/fixtures/agents"),
      NODE_OPTIONS: `--import ${pathToFileURL(join(import.meta.dirname, "crash-at.ts"))}`,
      CHAOS_ARMED: armedDir,
      ...(links && { REDIS_URL: links.workers.url }),
      ...workerEnv,
    };
    const startWorker = (_: unknown, at: number) => {
      const name = `worker-${at + 1}`;
      return start(workerProcess({ name, env: withOwn(workerVariables, envOf(name)) }));
    };
    const apiKeys = `${apiKeysEntry("chaos", API_KEY)},${apiKeysEntry("flood", FLOOD_KEY)}`;
    const startApi = async (_: unknown, at: number) => {
      const port = await freePort();
      const name = `api-${at + 1}`;
      const env = { ...common, SSE_HEARTBEAT_MS: "2000", ...SHARES, ...(links && { REDIS_URL: links.apis.url }) };
      const api = await start(apiProcess({ name, port, apiKeys, env: withOwn(env, envOf(name)) }));
      // Assigned, not spread: a spread would copy the present pid instead of its getter.
      return Object.assign(api, { origin: loopbackOrigin(port) });
    };
    const [startedWorkers, startedApis] = await Promise.all([
      Promise.all(Array.from({ length: workers }, startWorker)),
      Promise.all(Array.from({ length: apis }, startApi)),
    ]);
    return {
      ...{ dir, redis, redisSet, modelOrigin, database, effectsFile, armedDir, surroundings, stop },
      ...{ redisUrl: redis.url, redisPrefix: REDIS_PREFIX, databaseUrl: database.url },
      redisUrls: async () => (await redisSet?.masters())?.map(({ url }) => url) ?? [redis.url],
      apis: startedApis,
      workers: startedWorkers,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startRedisOf(kind: RedisKind) {
  if (kind === "single") {
    const redis = await startPrivateRedis();
    return { redis, redisSet: null, stopRedis: () => redis.stop() };
  }
  const set = await (kind === "sentinel" ? startSentinelSet() : startCluster());
  return { redis: masterOf(set), redisSet: set, stopRedis: () => set.stop() };
}

/** The faults of one server, done to a master. */
function masterOf(set: RedisSet): Stack["redis"] {
  let victim: RedisNode | undefined;
  async function pick(): Promise<RedisNode> {
    [victim] = await set.masters();
    if (victim === undefined) throw new Error("no master answers");
    return victim;
  }
  return {
    url: set.url,
    get pid() {
      return set.nodes[0]?.pid ?? 0;
    },
    kill: async () => (await pick()).kill(),
    start: async () => victim?.start(),
    pause: () => void pick().then((node) => node.pause()),
    resume: () => victim?.resume(),
  };
}
