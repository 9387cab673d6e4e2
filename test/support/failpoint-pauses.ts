/** Processes that stay at a failpoint while the test does what is to be done at that moment. */
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Failpoint } from "@agent-paas/shared/lifecycle/failpoints.ts";
import { ROOT } from "./sources.ts";
import { waitFor } from "./wait-for.ts";

/** @param dir in which a folder of its own is made; the caller deletes it. */
export async function failpointPauses(dir: string) {
  const armed = await mkdtemp(join(dir, "pauses-"));
  return {
    /** Of the processes that the pauses are for. */
    env: {
      NODE_OPTIONS: `--import ${pathToFileURL(join(ROOT, "test/fixtures/pause-at.ts"))}`,
      PAUSES: armed,
    } satisfies NodeJS.ProcessEnv,

    /** `act` runs while the first of the processes that reaches the failpoint stays there. */
    async at<T>(point: Failpoint, begin: () => Promise<T>, act: (begun: T) => Promise<void>): Promise<T> {
      const reached = join(armed, `${point}.reached`);
      await writeFile(join(armed, point), "");
      try {
        const begun = await begin();
        await waitFor(`a process to reach ${point}`, () => existsSync(reached));
        await act(begun);
        return begun;
      } finally {
        await Promise.all([rm(join(armed, point), { force: true }), rm(reached, { force: true })]);
      }
    },
  };
}
