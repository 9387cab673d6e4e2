/**
 * One installation on three hosts: PostgreSQL and Redis on a, an API and two workers each on b and c, as
 * docs/several-machines.md has it. The model's provider is where this process is.
 */
import { appendFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { SECOND } from "@agent-paas/shared/time.ts";
import { cacheDirOf, locateRedis } from "../../scripts/services/redis-binary.ts";
import { planRedis } from "../../scripts/services/redis-server.ts";
import { createRestartableProcess, type RestartableProcess } from "../../scripts/services/restartable-process.ts";
import { startServer } from "../../scripts/services/server.ts";
import { apiKeysEntry } from "../../scripts/start/api-key.ts";
import {
  apiProcess,
  localModelEnv,
  modelProcess,
  type NodeProcess,
  nodeSpec,
  ROOT,
  workerProcess,
} from "../../scripts/start/processes.ts";
import type { Api } from "../chaos/client.ts";
import type { EvidenceSources } from "../chaos/evidence.ts";
import { API_KEY } from "../chaos/stack.ts";
import { startPostgres } from "../support/postgres.ts";
import { createHosts, type Host, OWN_ADDRESS } from "./network.ts";
import type { HostName } from "./rounds.ts";

const PORTS = { api: 8000, model: 9000, redis: 6379 };
const WORKERS_PER_HOST = 2;
const STOP_WITHIN_MS = 30 * SECOND;

export type Platform = EvidenceSources & {
  readonly hosts: Readonly<Record<HostName, Host>>;
  readonly redisUrl: string;
  readonly apis: readonly (RestartableProcess & Api)[];
  /** Their names begin with those of their hosts. */
  readonly workers: readonly RestartableProcess[];
  stop(): Promise<void>;
};

/** Where this machine has Redis; found before the network is left, because it may have to be fetched. */
export async function findRedis() {
  return locateRedis({ env: process.env, cacheDir: await cacheDirOf(process.env, join(ROOT, "data/cache")) });
}

export async function startPlatform(dir: string): Promise<Platform> {
  const effectsFile = join(dir, "effects");
  await writeFile(effectsFile, "");
  const hosts = createHosts(["a", "b", "c"]);
  /** Last in, first out: workers end before what they need. */
  const releases: (() => Promise<unknown>)[] = [];
  async function stop(): Promise<void> {
    for (const host of Object.values(hosts)) host.heal();
    for (const release of releases.toReversed()) await release();
  }

  async function start(plan: NodeProcess, host?: Host): Promise<RestartableProcess> {
    const spec = nodeSpec(plan);
    const started = createRestartableProcess(host?.place(spec) ?? spec, STOP_WITHIN_MS);
    await started.start();
    return started;
  }

  try {
    const { url: databaseUrl, stop: stopDatabase } = await startPostgres({
      host: hosts.a.address,
      place: hosts.a.place,
      prepare: (dataDir) => appendFile(join(dataDir, "pg_hba.conf"), "\nhost all all samenet trust\n"),
    });
    releases.push(stopDatabase);

    const redisDir = join(dir, "redis");
    await mkdir(redisDir);
    const plan = await planRedis({
      ...{ binary: await findRedis(), dir: redisDir },
      ...{ host: hosts.a.address, port: PORTS.redis },
    });
    const redis = await startServer(plan, hosts.a.place(plan.spec));
    releases.push(redis.stop);

    const common: NodeJS.ProcessEnv = {
      PATH: process.env.PATH,
      REDIS_URL: redis.url,
      REDIS_PREFIX: "hosts",
      DATABASE_URL: databaseUrl,
      LOG_DIR: join(dir, "logs"),
      LOG_LEVEL: "debug",
      TERMINAL_LOG_LEVEL: "fatal",
      SHUTDOWN_GRACE_MS: "5000",
    };
    const model = await start(modelProcess({ name: "model", host: OWN_ADDRESS, port: PORTS.model, env: common }));
    releases.push(model.stop);
    const modelOrigin = `http://${OWN_ADDRESS}:${PORTS.model}`;

    const workerEnv: NodeJS.ProcessEnv = {
      ...common,
      ...localModelEnv(modelOrigin, "sk-hosts"),
      AGENTS_DIR: join(ROOT, "test/fixtures/agents"),
      // One host can run what two have begun.
      WORKER_CHAT_CONCURRENCY: "200",
      WORKER_EXECUTE_CONCURRENCY: "100",
    };
    const served = [hosts.b, hosts.c];
    const workers = await Promise.all(
      served.flatMap((host) =>
        Array.from({ length: WORKERS_PER_HOST }, (_, at) =>
          start(workerProcess({ name: `${host.name}-worker-${at + 1}`, env: workerEnv }), host),
        ),
      ),
    );
    releases.push(() => Promise.all(workers.map((worker) => worker.stop())));

    const apiKeys = apiKeysEntry("hosts", API_KEY);
    const apis = await Promise.all(
      served.map(async (host) => {
        const [name, port] = [`${host.name}-api`, PORTS.api];
        // The clients give a stream up that says nothing for 10 s.
        const env = { ...common, HOST: host.address, SSE_HEARTBEAT_MS: "2000" };
        const api = await start(apiProcess({ name, port, apiKeys, env }), host);
        return Object.assign(api, { origin: `http://${host.address}:${port}` });
      }),
    );
    releases.push(() => Promise.all(apis.map((api) => api.stop())));

    return {
      ...{ dir, hosts, apis, workers, effectsFile, modelOrigin, databaseUrl, stop },
      ...{ redisUrl: redis.url, redisUrls: async () => [redis.url], redisPrefix: "hosts" },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
