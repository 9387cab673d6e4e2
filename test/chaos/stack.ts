/**
 * The processes of a run: APIs, workers, a Redis and a model server of its own, an SQLite file and folders. Every process
 * can be killed, paused, stopped and started again in its place: same name, same port, same data.
 */
import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { SECOND } from "@agent-paas/shared/time.ts";
import { type Child, type Exit, spawnChild } from "../../scripts/services/child.ts";
import { freePort } from "../../scripts/services/ports.ts";
import type { Server } from "../../scripts/services/server.ts";
import { startPrivateRedis } from "../support/redis.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const READY_WITHIN_MS = 60 * SECOND;
/** The promise is 30 s; what takes longer is killed and counts as a bad exit. */
const STOP_WITHIN_MS = 30 * SECOND;
const MODEL_STOP_WITHIN_MS = 5 * SECOND;

export const API_KEY = "ap_chaos_key";
const REDIS_PREFIX = "chaos";

export type Part = {
  readonly name: string;
  readonly pid: number;
  /** Resolves when the present run has ended, however. */
  readonly exited: Promise<Exit>;
  kill(): Promise<Exit>;
  pause(): void;
  resume(): void;
  /** SIGTERM. */
  stop(): Promise<Exit>;
  start(): Promise<void>;
};

export type Stack = {
  readonly dir: string;
  readonly apis: readonly (Part & { readonly origin: string })[];
  readonly workers: readonly Part[];
  readonly redis: Server;
  readonly redisUrl: string;
  readonly redisPrefix: string;
  readonly modelOrigin: string;
  readonly databaseFile: string;
  readonly effectsFile: string;
  /** Where files arm the crash points of workers; see crash-at.ts. */
  readonly armedDir: string;
  stop(): Promise<void>;
};

export type StackOptions = {
  readonly dir: string;
  readonly apis: number;
  readonly workers: number;
  readonly workerEnv?: NodeJS.ProcessEnv;
};

export async function startStack({ dir, apis, workers, workerEnv = {} }: StackOptions): Promise<Stack> {
  const [databaseFile, effectsFile, armedDir] = [join(dir, "chaos.db"), join(dir, "effects"), join(dir, "armed")];
  await mkdir(armedDir);
  await writeFile(effectsFile, "");
  const redis = await startPrivateRedis();
  const common: NodeJS.ProcessEnv = {
    PATH: process.env.PATH,
    REDIS_URL: redis.url,
    REDIS_PREFIX,
    DATABASE_URL: databaseFile,
    LOG_DIR: join(dir, "logs"),
    LOG_LEVEL: "debug",
    TERMINAL_LOG_LEVEL: "fatal",
    SHUTDOWN_GRACE_MS: "5000",
  };
  const parts: Part[] = [];
  async function add(name: string, main: string, env: NodeJS.ProcessEnv): Promise<Part> {
    const part = createPart(name, main, { ...common, PROCESS_NAME: name, ...env });
    parts.push(part);
    await part.start();
    return part;
  }
  async function stop(): Promise<void> {
    for (const part of parts) part.resume();
    // The model, which was started first, is stopped last: workers may still be at it.
    const [model, ...others] = parts;
    await Promise.all(others.map((part) => part.stop()));
    await model?.stop();
    await redis.stop();
  }
  try {
    const modelPort = await freePort();
    const modelOrigin = `http://127.0.0.1:${modelPort}`;
    await add("model", "scripts/model-server/main.ts", { HOST: "127.0.0.1", MODEL_PORT: String(modelPort) });
    const startWorker = (_: unknown, at: number) =>
      add(`worker-${at + 1}`, "apps/worker/src/main.ts", {
        OPENAI_BASE_URL: `${modelOrigin}/v1`,
        OPENAI_API_KEY: "sk-chaos",
        LLM_MODEL: "local-model",
        MODEL_FIRST_TOKEN_TIMEOUT_MS: "5000",
        MODEL_IDLE_TIMEOUT_MS: "5000",
        AGENTS_DIR: join(ROOT, "test/fixtures/agents"),
        NODE_OPTIONS: `--import ${pathToFileURL(join(import.meta.dirname, "crash-at.ts"))}`,
        CHAOS_ARMED: armedDir,
        ...workerEnv,
      });
    const startApi = async (_: unknown, at: number) => {
      const port = await freePort();
      const part = await add(`api-${at + 1}`, "apps/api/src/main.ts", {
        PORT: String(port),
        API_KEYS: `chaos:${createHash("sha256").update(API_KEY).digest("hex")}`,
        SSE_HEARTBEAT_MS: "2000",
      });
      return Object.defineProperty(part, "origin", { value: `http://127.0.0.1:${port}` }) as Part & { origin: string };
    };
    const [startedWorkers, startedApis] = await Promise.all([
      Promise.all(Array.from({ length: workers }, startWorker)),
      Promise.all(Array.from({ length: apis }, startApi)),
    ]);
    return {
      ...{ dir, redis, modelOrigin, databaseFile, effectsFile, armedDir, stop },
      ...{ redisUrl: redis.url, redisPrefix: REDIS_PREFIX },
      apis: startedApis,
      workers: startedWorkers,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function createPart(name: string, main: string, env: NodeJS.ProcessEnv): Part {
  let child: Child | undefined;
  const gone: Promise<Exit> = Promise.resolve({ code: 0, signal: null });
  return {
    name,
    get pid() {
      return child?.pid ?? 0;
    },
    get exited() {
      return child?.exited ?? gone;
    },
    kill: () => child?.kill() ?? gone,
    pause: () => child?.signal("SIGSTOP"),
    resume: () => child?.signal("SIGCONT"),
    stop: () => child?.stop(name === "model" ? MODEL_STOP_WITHIN_MS : STOP_WITHIN_MS) ?? gone,
    async start() {
      child = spawnChild({ name, command: process.execPath, args: [join(ROOT, main)], env, ready: "message" });
      await child.ready(READY_WITHIN_MS);
    },
  };
}
