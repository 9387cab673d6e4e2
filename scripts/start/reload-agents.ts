/**
 * `npm start -- --watch`: when the agents have changed, every worker is replaced by one that has the new ones.
 *
 * 1. A worker is replaced only by one that has loaded all agents: with a mistake in a plugin, the old ones go on.
 * 2. No job is lost: the successor takes jobs before its predecessor stops, whose jobs end within its grace, or are
 *    requeued and go on elsewhere from their journal.
 */
import { checkTypes } from "./check-types.ts";
import type { Fleet } from "./fleet.ts";
import type { FolderWatch } from "./folder-watch.ts";
import type { Screen } from "./screen.ts";

export type ReloadDeps = {
  readonly fleet: Fleet;
  readonly screen: Pick<Screen, "remark" | "problem" | "output">;
  /** How long a worker may take to stop. */
  readonly workerWithinMs: number;
};

/** A worker with this setting starts only if every plugin can be loaded (1). */
const STRICT = { AGENTS_STRICT: "on" };

/** Resolves when the fleet stops. */
export async function reloadAgents(
  { folder, changes }: FolderWatch,
  { fleet, screen, workerWithinMs }: ReloadDeps,
): Promise<void> {
  screen.remark("agents", `watching ${folder}`);
  const showTypes = () => checkTypes(folder, (line) => screen.output("types", line));
  await showTypes();
  for await (const changed of changes) {
    screen.remark("agents", `changed: ${changed.join(", ")}`);
    await Promise.all([showTypes(), replaceWorkers()]);
  }

  async function replaceWorkers(): Promise<void> {
    for (const worker of fleet.ofRank("worker")) {
      try {
        await worker.replace(workerWithinMs, STRICT);
      } catch (error) {
        if (fleet.stopping.aborted) return;
        const reason = error instanceof Error ? error.message : String(error);
        screen.problem("agents", `the former ones go on: ${reason}`);
        return;
      }
    }
  }
}
