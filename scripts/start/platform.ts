// The parts of the platform and what each is told: first the services, side by side, then the API and the workers.
//
// 1. Secrets go only where they are used: the model's key to the workers, the API keys to the API.
// 2. Addresses are chosen once, before the first run, so that a part that is started again is found where it was.

import { join } from "node:path";
import type { ChildSpec } from "../services/child.ts";
import { planChroma } from "../services/chroma-server.ts";
import { createPart } from "../services/part.ts";
import { freePort, LOOPBACK } from "../services/ports.ts";
import { cacheDirOf, locateRedis } from "../services/redis-binary.ts";
import { planRedis } from "../services/redis-server.ts";
import { apiKeysEntry, ensureApiKey } from "./api-key.ts";
import type { Fleet, Rank } from "./fleet.ts";
import { createLogFile } from "./log-file.ts";
import { NODE_FLAGS } from "./node-flags.ts";
import type { StartOptions } from "./options.ts";
import type { Screen, Welcome } from "./screen.ts";

const LOCAL_MODEL =
  "the local test model: it speaks the protocol, but thinks nothing. Set OPENAI_API_KEY for a real one";

export interface PlatformDeps {
  readonly root: string;
  readonly options: StartOptions;
  /** What the children inherit. */
  readonly env: NodeJS.ProcessEnv;
  readonly fleet: Fleet;
  readonly screen: Screen;
}

/** Resolves when every part is ready; rejects with the first that is not, and leaves the stopping to the caller. */
export async function startPlatform({ root, options, env, fleet, screen }: PlatformDeps): Promise<Welcome> {
  const { dataDir, logDir } = options;
  const start = (rank: Rank, spec: ChildSpec, remark?: string) =>
    fleet.start(
      rank,
      createPart(spec, (news) => screen.part(spec.name, news, remark)),
    );
  /** Its output is for the screen. That of a first start waits until it is ready: if it fails, the error has it. */
  const startShown = (rank: Rank, spec: ChildSpec) => {
    const early: string[] = [];
    let show = (line: string) => void early.push(line);
    const part = createPart({ ...spec, onLine: (line) => show(line) }, (news) => {
      screen.part(spec.name, news);
      show = (line) => screen.output(spec.name, line);
      for (const line of early.splice(0)) show(line);
    });
    return fleet.start(rank, part);
  };
  const logFile = (name: string) => (logDir === undefined ? () => {} : createLogFile(join(logDir, `${name}.log`)));

  async function redis(): Promise<string> {
    if (options.redisUrl !== undefined) {
      screen.remark("redis", "yours (REDIS_URL)");
      return options.redisUrl;
    }
    const onDownload = () => screen.remark("redis", "fetching the distribution's packages, once; nothing is installed");
    const cacheDir = await cacheDirOf(env, join(dataDir, "cache"));
    const binary = await locateRedis({ env, cacheDir, onDownload, signal: fleet.stopping });
    const { url, spec } = await planRedis({ binary, dir: join(dataDir, "redis"), onLine: logFile("redis") });
    await start("redis", spec, binary.description);
    return url;
  }

  async function chroma(): Promise<string | undefined> {
    if (options.chromaUrl !== undefined) {
      screen.remark("chroma", "yours (CHROMA_URL)");
      return options.chromaUrl;
    }
    const plan = await planChroma({ dir: join(dataDir, "chroma"), onLine: logFile("chroma") });
    if (plan) await start("chroma", plan.spec);
    else
      screen.remark(
        "chroma",
        `none for ${process.platform}-${process.arch}: no vector store, unless CHROMA_URL names one`,
      );
    return plan?.url;
  }

  async function model(): Promise<NodeJS.ProcessEnv> {
    if (options.model) return { OPENAI_API_KEY: options.model.apiKey };
    const port = await freePort();
    await start("model", {
      name: "model",
      command: process.execPath,
      args: [join(root, "scripts/model-server/main.ts")],
      env: { HOST: LOOPBACK, MODEL_PORT: String(port) },
      ready: "message",
      onLine: logFile("model"),
    });
    return { OPENAI_BASE_URL: `http://${LOOPBACK}:${port}/v1`, OPENAI_API_KEY: "local", LLM_MODEL: "local-model" };
  }

  const apiKey = options.apiKeys === undefined ? await ensureApiKey(join(dataDir, "api-key")) : undefined;
  const port = options.port || (await freePort());
  const [redisUrl, chromaUrl, modelEnv] = await Promise.all([redis(), chroma(), model()]);

  const common = {
    ...env,
    OPENAI_API_KEY: undefined,
    API_KEYS: undefined,
    REDIS_URL: redisUrl,
    CHROMA_URL: chromaUrl,
    DATABASE_URL: options.databaseUrl,
    DATA_DIR: dataDir,
    LOG_DIR: logDir ?? "off",
    TERMINAL_LOG_LEVEL: env.TERMINAL_LOG_LEVEL || "warn",
    TERMINAL_LOG_FORMAT: "pretty",
    SHUTDOWN_GRACE_MS: String(options.graceMs),
  };
  const node = (name: string, main: string, own: NodeJS.ProcessEnv): ChildSpec => ({
    name,
    command: process.execPath,
    args: [...NODE_FLAGS, join(root, main)],
    env: { ...common, ...own, PROCESS_NAME: name },
    ready: "message",
  });
  const api = node("api", "apps/api/src/main.ts", {
    HOST: options.host,
    PORT: String(port),
    API_KEYS: apiKey === undefined ? options.apiKeys : apiKeysEntry("local", apiKey),
  });
  const workers = Array.from({ length: options.workers }, (_none, index) =>
    node(`worker-${index + 1}`, "apps/worker/src/main.ts", modelEnv),
  );
  await Promise.all([startShown("api", api), ...workers.map((worker) => startShown("worker", worker))]);

  return {
    url: `http://${reachable(options.host)}:${port}`,
    apiKey,
    model: options.model?.where ?? LOCAL_MODEL,
    dataDir,
    logDir,
  };
}

/** An address that a client on this machine can use. */
function reachable(host: string): string {
  if (host === "0.0.0.0" || host === "::") return LOOPBACK;
  return host.includes(":") ? `[${host}]` : host;
}
