/** The systems that stream chats, by name. */
import type { BenchContext, SystemName } from "../scenarios/scenario.ts";
import { startDirect } from "./direct.ts";
import { startFloor } from "./floor.ts";
import { startOurs } from "./ours.ts";
import type { System } from "./system.ts";

/** `env` applies to the product only; the baselines have no such settings. */
export async function startStreamingSystem(
  name: SystemName,
  context: Pick<BenchContext, "model" | "workers" | "cpuProfDir" | "remark">,
  env: NodeJS.ProcessEnv = {},
): Promise<System> {
  const { model, workers, cpuProfDir, remark } = context;
  switch (name) {
    case "ours":
      return startOurs({ modelOrigin: model.origin, workers, cpuProfDir, remark, env });
    case "ours-1":
      return startOurs({ modelOrigin: model.origin, workers: 1, cpuProfDir, remark, env });
    case "ours-pg":
      return startOurs({ modelOrigin: model.origin, workers, database: "postgres", cpuProfDir, remark, env });
    case "ours-cluster":
      return startOurs({ modelOrigin: model.origin, workers, isOnCluster: true, cpuProfDir, remark, env });
    case "ours-openai": {
      const ours = await startOurs({ modelOrigin: model.origin, workers, cpuProfDir, remark, env });
      return { ...ours, target: { ...ours.target, protocol: "openai" } };
    }
    case "direct":
      return startDirect(model.origin, { cpuProfDir, remark });
    case "floor":
      return startFloor(model.origin, 1, { cpuProfDir, remark });
    case "floor-2":
      return startFloor(model.origin, 2, { cpuProfDir, remark });
    case "model":
      return { ...model, stop: async () => {} };
    default:
      throw new Error(`'${name}' streams no chats`);
  }
}
