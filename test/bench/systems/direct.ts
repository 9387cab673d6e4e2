/** Starts the yardstick `direct`. */
import { freePort } from "../../../scripts/services/ports.ts";
import { build, createStack, type StackOptions, type System } from "./system.ts";

export async function startDirect(modelUrl: string, options: StackOptions): Promise<System> {
  const stack = createStack(options);
  return build(stack, async () => {
    const port = await freePort();
    const env = { PORT: String(port), OPENAI_BASE_URL: modelUrl };
    await stack.node("api", { name: "direct", main: "test/bench/yardsticks/direct.ts", env });
    return { target: { protocol: "yardstick", port }, processes: stack.processes, stop: stack.stop };
  });
}
