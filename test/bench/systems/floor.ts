/** Starts the baseline `floor`: its API, its workers and a Redis. */
import { freePort } from "../../../scripts/services/ports.ts";
import { localModelEnv } from "../../../scripts/start/processes.ts";
import { CHAT_CONCURRENCY } from "./concurrency.ts";
import { build, createStack, type StackOptions, type System } from "./system.ts";

export async function startFloor(modelOrigin: string, workers: number, options: StackOptions): Promise<System> {
  const stack = createStack(options);
  return build(stack, async () => {
    const port = await freePort();
    const env = {
      REDIS_URL: await stack.redis(),
      PORT: String(port),
      ...localModelEnv(modelOrigin, "sk-bench"),
      CONCURRENCY: String(CHAT_CONCURRENCY),
    };
    const start = (role: "api" | "worker") =>
      stack.node(role, { name: `floor-${role}`, main: `test/bench/baselines/floor-${role}.ts`, env });
    await Promise.all([start("api"), ...Array.from({ length: workers }, () => start("worker"))]);
    return { target: { protocol: "baseline", port }, processes: stack.processes, stop: stack.stop };
  });
}
