/**
 * The memory of a whole `npm start` that does nothing: proportional set size of each of its processes and of all of
 * them, the supervisor and its watchdogs included.
 */
import { setTimeout as delay } from "node:timers/promises";
import { SECOND } from "@agent-paas/shared/time.ts";
import { spawnChild } from "../../../scripts/services/child.ts";
import { freePort, LOOPBACK } from "../../../scripts/services/ports.ts";
import { loopbackOrigin } from "../../../scripts/start/processes.ts";
import { processTree } from "../../support/process-tree.ts";
import { proportionalBytes } from "../measure/memory.ts";
import { readProc } from "../measure/proc.ts";
import { BYTES_PER_MIB } from "../measure/usage.ts";
import { build, createStack } from "../systems/system.ts";
import type { Figures, Scenario } from "./scenario.ts";

const READY_WITHIN_MS = 120 * SECOND;
const STOP_WITHIN_MS = 30 * SECOND;
/** An idle process looks every ten seconds whether it can return memory. */
const SETTLE_MS = 20 * SECOND;

/** Parts of the command lines. */
const PARTS = {
  api: "apps/api/src/main.ts",
  worker: "apps/worker/src/main.ts",
  model: "scripts/model-server/main.ts",
  chroma: "chromadb",
  redis: "redis-server",
  supervisor: "scripts/start.ts",
} as const;

export const START_SCENARIO: Scenario = {
  name: "start",
  about: "memory of an idle `npm start` with two workers, as proportional set size",
  systems: ["ours"],
  inQuick: true,
  once: true,
  async measure(_, { remark }) {
    const stack = createStack({ remark });
    const pid = await build(stack, async () => {
      const dir = await stack.tempDir();
      const port = await freePort();
      const child = spawnChild({
        name: "npm start",
        command: process.execPath,
        args: ["--import", "./scripts/require-node.mjs", "scripts/start.ts"],
        // Nothing of the caller's settings but where programs are.
        env: { PATH: process.env.PATH, HOME: dir, DATA_DIR: dir, HOST: LOOPBACK, PORT: String(port) },
        ready: () => answers(`${loopbackOrigin(port)}/api/v1/readyz`),
      });
      stack.onStop("npm start", () => child.stop(STOP_WITHIN_MS));
      await child.ready(READY_WITHIN_MS);
      return child.pid;
    });
    try {
      await delay(SETTLE_MS);
      return figuresOf(await processTree(pid));
    } finally {
      await stack.stop();
    }
  },
};

const answers = (url: string): Promise<boolean> =>
  fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );

function figuresOf(pids: readonly number[]): Figures {
  const sizes = pids.map((pid) => ({ command: readProc(`${pid}/cmdline`) ?? "", bytes: proportionalBytes(pid) }));
  const mib = (text: string) => {
    const found = sizes.filter(({ command }) => command.includes(text));
    return found.reduce((sum, { bytes }) => sum + bytes, 0) / found.length / BYTES_PER_MIB;
  };
  const parts = Object.entries(PARTS).map(([part, text]) => [`${part}PssMiB`, mib(text)]);
  return {
    startPssMiB: sizes.reduce((sum, { bytes }) => sum + bytes, 0) / BYTES_PER_MIB,
    ...Object.fromEntries(parts),
  };
}
