/** Links that swallow everything: the processes live, and what they need is not within reach. */
import { setTimeout as delay } from "node:timers/promises";
import { SECOND } from "@agent-paas/shared/time.ts";
import type { Silence } from "../outages.ts";
import type { Links } from "../surroundings.ts";
import {
  pause,
  requestMix,
  type Scenario,
  STREAMING,
  TWO_APIS_THREE_WORKERS,
  timeRecovery,
  times,
  underLoad,
  withReplays,
} from "./scenario.ts";

const LINKS: readonly (readonly (keyof Links)[])[] = [["workers"], ["apis"], ["workers", "apis"]];
const SILENCES: readonly Silence[] = ["existing", "packets", "all"];
/** Long enough to replace what is silent. */
const REPLACED_AFTER_MS = 15 * SECOND;

export const silentLinks: Scenario = {
  about:
    "9 times the links of workers, of APIs or of both to Redis swallow everything; for 30 s, or existing ones only",
  stack: { ...TWO_APIS_THREE_WORKERS, surroundings: { links: true } },
  inOwnNetwork: true,
  bounds: { "link recovery": { share: 1, withinMs: 20 * SECOND } },
  async run(context) {
    const { options, faults } = context;
    const requestOf = withReplays(requestMix(context, { name: "link", ...STREAMING }));
    await underLoad(context, requestOf, async () => {
      await times(options.times ?? LINKS.length * SILENCES.length, context, async (no) => {
        await pause(context, 3 * SECOND, 6 * SECOND);
        const how = SILENCES[(no - 1) % SILENCES.length] ?? "all";
        const names = LINKS[Math.floor((no - 1) / SILENCES.length) % LINKS.length] ?? [];
        const end = faults.silence(names, how);
        if (how !== "existing") await delay(options.outageMs);
        if (how !== "existing") await end();
        await timeRecovery(context, `back-${no}`, "link");
        if (how === "existing") {
          await delay(REPLACED_AFTER_MS);
          await end();
        }
      });
    });
  },
};
