/** Starts the product as it is deployed: one API, workers, a Redis, a database file. Logs are written as by default. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { freePort } from "../../../scripts/services/ports.ts";
import { NODE_FLAGS } from "../../../scripts/start/node-flags.ts";
import { API_KEY } from "../client/protocols.ts";
import { CHAT_CONCURRENCY } from "./concurrency.ts";
import { build, createStack, ROOT, type StackOptions, type System } from "./system.ts";

/** Who owns what the benchmark makes. */
export const OWNER = "bench";

export type OursOptions = StackOptions & {
  readonly modelUrl: string;
  readonly workers: number;
  readonly env?: NodeJS.ProcessEnv;
};

export type Ours = System & { readonly databaseFile: string };

export async function startOurs({ modelUrl, workers, env = {}, ...options }: OursOptions): Promise<Ours> {
  const stack = createStack(options);
  return build(stack, async () => {
    const dir = await stack.tempDir();
    const databaseFile = join(dir, "bench.db");
    const port = await freePort();
    const common: NodeJS.ProcessEnv = {
      REDIS_URL: await stack.redis(),
      DATABASE_URL: databaseFile,
      LOG_DIR: join(dir, "logs"),
      TERMINAL_LOG_LEVEL: "warn",
      SHUTDOWN_GRACE_MS: "2000",
      ...env,
    };
    let started = 0;
    const startWorker = () => {
      const name = `worker-${++started}`;
      return stack.node("worker", {
        name,
        main: "apps/worker/src/main.ts",
        flags: NODE_FLAGS,
        env: {
          OPENAI_BASE_URL: modelUrl,
          OPENAI_API_KEY: "sk-bench",
          LLM_MODEL: "local-model",
          WORKER_CHAT_CONCURRENCY: String(CHAT_CONCURRENCY),
          AGENTS_DIR: join(ROOT, "test/bench/agents"),
          ...common,
          PROCESS_NAME: name,
        },
      });
    };
    const startApi = () =>
      stack.node("api", {
        name: "api",
        main: "apps/api/src/main.ts",
        flags: NODE_FLAGS,
        env: {
          PORT: String(port),
          API_KEYS: `${OWNER}:${createHash("sha256").update(API_KEY).digest("hex")}`,
          ...common,
          PROCESS_NAME: "api",
        },
      });
    await Promise.all([startApi(), ...Array.from({ length: workers }, startWorker)]);
    return {
      target: { protocol: "platform", port },
      processes: stack.processes,
      stop: stack.stop,
      databaseFile,
    };
  });
}
