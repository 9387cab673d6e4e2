/** Starts the baseline `direct`. */
import { freePort } from "../../../scripts/services/ports.ts";
import { localModelEnv } from "../../../scripts/start/processes.ts";
import { build, createStack, type StackOptions, type System } from "./system.ts";

export async function startDirect(modelOrigin: string, options: StackOptions): Promise<System> {
  const stack = createStack(options);
  return build(stack, async () => {
    const port = await freePort();
    const env = { PORT: String(port), ...localModelEnv(modelOrigin, "sk-bench") };
    await stack.node("api", { name: "direct", main: "test/bench/baselines/direct.ts", env });
    return { target: { protocol: "baseline", port }, processes: stack.processes, stop: stack.stop };
  });
}
