/** The local model server: used by every system, and measured alone as the system `model`. */
import { freePort } from "../../../scripts/services/ports.ts";
import { loopbackOrigin, modelProcess } from "../../../scripts/start/processes.ts";
import { build, createStack, type System } from "./system.ts";

export type ModelServer = System & { readonly origin: string; readonly pid: number };

export async function startModel(): Promise<ModelServer> {
  const stack = createStack();
  return build(stack, async () => {
    const port = await freePort();
    const { pid } = await stack.node("helper", modelProcess({ name: "model", port, env: {} }));
    const origin = loopbackOrigin(port);
    return { target: { protocol: "model", port }, processes: [], stop: stack.stop, origin, pid };
  });
}
