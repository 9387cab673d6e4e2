/**
 * Starts the platform of `npm start`: first the services side by side, then the API and the workers.
 *
 * 1. A secret goes only to the processes that use it: the model's key to the workers, the API keys to the API.
 * 2. Addresses are chosen once, before the first run, so that a restarted process keeps its address.
 */
import { join } from "node:path";
import { buildPlayground } from "@agent-paas/playground/build.ts";
import type { ChildSpec } from "../services/child.ts";
import { planChroma } from "../services/chroma-server.ts";
import { freePort, LOOPBACK } from "../services/ports.ts";
import { cacheDirOf, locateRedis } from "../services/redis-binary.ts";
import { planRedis } from "../services/redis-server.ts";
import { createSupervisedProcess } from "../services/supervised-process.ts";
import { apiKeysEntry, ensureApiKey } from "./api-key.ts";
import type { Fleet, Rank } from "./fleet.ts";
import { createLogFile } from "./log-file.ts";
import { NODE_FLAGS } from "./node-flags.ts";
import type { StartOptions } from "./options.ts";
import { apiProcess, localModelEnv, loopbackOrigin, modelProcess, nodeSpec, workerProcess } from "./processes.ts";
import type { Screen, Welcome } from "./screen.ts";

const LOCAL_MODEL =
  "the local test model: it implements the API but returns canned answers. Set OPENAI_API_KEY for a real model";

export type PlatformDeps = {
  readonly options: StartOptions;
  /** Inherited by the API and the workers. */
  readonly env: NodeJS.ProcessEnv;
  readonly fleet: Fleet;
  readonly screen: Screen;
};

/** Resolves when every process is ready; rejects if one is not. The caller then stops the fleet. */
export async function startPlatform({ options, env, fleet, screen }: PlatformDeps): Promise<Welcome> {
  const { dataDir, logDir } = options;
  const start = (rank: Rank, spec: ChildSpec, remark?: string) =>
    fleet.start(
      rank,
      createSupervisedProcess(spec, (change) => screen.process(spec.name, change, remark)),
    );
  /**
   * Shows the output on the screen; that of the first start only once it is ready, because a failure's error holds it.
   */
  const startShown = (rank: Rank, spec: ChildSpec) => {
    const early: string[] = [];
    let show: (line: string) => void = (line) => void early.push(line);
    const member = createSupervisedProcess({ ...spec, onLine: (line) => show(line) }, (change) => {
      screen.process(spec.name, change);
      show = (line) => screen.output(spec.name, line);
      for (const line of early.splice(0)) show(line);
    });
    return fleet.start(rank, member);
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
    const { url, spec } = await planRedis({
      ...{ binary, dir: join(dataDir, "redis"), onLine: logFile("redis") },
      maxMemoryBytes: options.redisMaxMemoryBytes,
    });
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
    // Every user of the machine can connect to loopback, and the control routes show what others asked.
    const env = { MODEL_CONTROL: "off" };
    await start("model", nodeSpec(modelProcess({ name: "model", port, env, onLine: logFile("model") })));
    return localModelEnv(loopbackOrigin(port), "local");
  }

  /** The platform works without its page. */
  async function page(): Promise<void> {
    try {
      await buildPlayground();
    } catch (error) {
      screen.problem("page", `could not be built: ${error instanceof Error ? error.message : error}`);
    }
  }

  async function keys(): Promise<{ apiKey: string | undefined; apiKeys: string }> {
    if (options.apiKeys !== undefined) return { apiKey: undefined, apiKeys: options.apiKeys };
    const apiKey = await ensureApiKey(join(dataDir, "api-key"));
    return { apiKey, apiKeys: apiKeysEntry("local", apiKey) };
  }

  const { apiKey, apiKeys } = await keys();
  const port = options.port || (await freePort());
  const [redisUrl, chromaUrl, modelEnv] = await Promise.all([redis(), chroma(), model(), page()]);

  const common = {
    ...env,
    // The services started here are behind no proxy.
    NO_PROXY: [...localHosts([chromaUrl, modelEnv.OPENAI_BASE_URL]), env.no_proxy || env.NO_PROXY || []]
      .flat()
      .join(","),
    no_proxy: undefined,
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
  const api = apiProcess({
    name: "api",
    flags: NODE_FLAGS,
    port,
    apiKeys,
    env: { ...common, HOST: options.host },
  });
  const workers = Array.from({ length: options.workers }, (_none, index) =>
    workerProcess({ name: `worker-${index + 1}`, flags: NODE_FLAGS, env: { ...common, ...modelEnv } }),
  );
  await Promise.all([
    startShown("api", nodeSpec(api)),
    ...workers.map((worker) => startShown("worker", nodeSpec(worker))),
  ]);

  return {
    url: `http://${reachable(options.host)}:${port}`,
    apiKey,
    model: options.model?.where ?? LOCAL_MODEL,
    dataDir,
    logDir,
  };
}

/** The address under which a client on this machine reaches a server that listens on `host`. */
function reachable(host: string): string {
  if (host === "0.0.0.0" || host === "::") return LOOPBACK;
  return host.includes(":") ? `[${host}]` : host;
}

const localHosts = (urls: readonly (string | undefined)[]): string[] =>
  urls.flatMap((url = "") => (URL.parse(url)?.hostname === LOOPBACK ? [new URL(url).host] : []));
