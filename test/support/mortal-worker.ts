/** Workers that kill themselves at a failpoint. */
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Failpoint } from "@agent-paas/shared/lifecycle/failpoints.ts";
import { ROOT } from "./sources.ts";

/** @param dir in which a folder of its own is made; the caller deletes it. */
export async function mortalWorker(dir: string, point: Failpoint) {
  const armed = await mkdtemp(join(dir, `${point}-`));
  await writeFile(join(armed, point), "");
  return {
    /** Of the workers of which the first that reaches the failpoint dies there. */
    env: {
      NODE_OPTIONS: `--import ${pathToFileURL(join(ROOT, "test/chaos/crash-at.ts"))}`,
      CHAOS_ARMED: armed,
    } satisfies NodeJS.ProcessEnv,
    /** The job at which a worker has died. Throws if none has. */
    victim: async (): Promise<string> => JSON.parse(await readFile(join(armed, "crashes.jsonl"), "utf8")).jobId,
  };
}
