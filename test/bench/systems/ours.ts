/** Starts the product as it is deployed: one API, workers, a Redis, a database, log files as by default. */
import { join } from "node:path";
import { freePort } from "../../../scripts/services/ports.ts";
import { apiKeysEntry } from "../../../scripts/start/api-key.ts";
import { NODE_FLAGS } from "../../../scripts/start/node-flags.ts";
import { apiProcess, localModelEnv, ROOT, workerProcess } from "../../../scripts/start/processes.ts";
import type { DatabaseKind } from "../../support/database-kind.ts";
import { API_KEY } from "../client/protocols.ts";
import { CHAT_CONCURRENCY } from "./concurrency.ts";
import { build, createStack, type StackOptions, type System } from "./system.ts";

/** The owner of the benchmark's sessions and jobs. */
export const OWNER = "bench";

export type OursOptions = StackOptions & {
  readonly modelOrigin: string;
  readonly workers: number;
  /** Default: SQLite. */
  readonly database?: DatabaseKind;
  /** Default: one Redis. */
  readonly isOnCluster?: boolean;
  readonly env?: NodeJS.ProcessEnv;
};

export type Ours = System & { readonly databaseUrl: string };

export async function startOurs(options: OursOptions): Promise<Ours> {
  const { modelOrigin, workers, database, isOnCluster = false, env = {} } = options;
  const stack = createStack(options);
  return build(stack, async () => {
    const dir = await stack.tempDir();
    const databaseUrl = database === "postgres" ? await stack.postgres() : join(dir, "bench.db");
    const port = await freePort();
    const common: NodeJS.ProcessEnv = {
      REDIS_URL: isOnCluster ? await stack.redisCluster() : await stack.redis(),
      DATABASE_URL: databaseUrl,
      LOG_DIR: join(dir, "logs"),
      TERMINAL_LOG_LEVEL: "warn",
      SHUTDOWN_GRACE_MS: "2000",
      ...env,
    };
    const worker = {
      ...localModelEnv(modelOrigin, "sk-bench"),
      WORKER_CHAT_CONCURRENCY: String(CHAT_CONCURRENCY),
      AGENTS_DIR: join(ROOT, "test/bench/agents"),
      ...common,
    };
    const startWorker = (_: unknown, at: number) =>
      stack.node("worker", workerProcess({ name: `worker-${at + 1}`, flags: NODE_FLAGS, env: worker }));
    const startApi = () => {
      const apiKeys = apiKeysEntry(OWNER, API_KEY);
      return stack.node("api", apiProcess({ name: "api", flags: NODE_FLAGS, port, apiKeys, env: common }));
    };
    await Promise.all([startApi(), ...Array.from({ length: workers }, startWorker)]);
    return {
      target: { protocol: "platform", port },
      processes: stack.processes,
      stop: stack.stop,
      databaseUrl,
    };
  });
}
