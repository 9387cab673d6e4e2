/** The local model server: behind every system, and a system itself, to see what it can do alone. */
import { freePort } from "../../../scripts/services/ports.ts";
import { build, createStack, type System } from "./system.ts";

export type ModelServer = System & { readonly baseUrl: string; readonly pid: number };

export async function startModel(): Promise<ModelServer> {
  const stack = createStack();
  return build(stack, async () => {
    const port = await freePort();
    const { pid } = await stack.node("helper", {
      name: "model",
      main: "scripts/model-server/main.ts",
      env: { HOST: "127.0.0.1", MODEL_PORT: String(port) },
    });
    const baseUrl = `http://127.0.0.1:${port}/v1`;
    return { target: { protocol: "model", port }, processes: [], stop: stack.stop, baseUrl, pid };
  });
}
