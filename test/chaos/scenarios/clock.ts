/** Wall clocks that differ between the processes and are set while they run. */
import { setTimeout as delay } from "node:timers/promises";
import { HOUR, MINUTE, SECOND } from "@agent-paas/shared/time.ts";
import { shiftedClock } from "../../support/shifted-clock.ts";
import { CLOCK_SIGNAL } from "../outages.ts";
import { pause, requestMix, type Scenario, STREAMING, TWO_APIS_THREE_WORKERS, times, underLoad } from "./scenario.ts";

/** Of each process: where its clock begins, and to what it is set while it runs. */
const CLOCKS: Readonly<Record<string, readonly number[]>> = {
  "api-1": [-HOUR, HOUR, 0],
  "api-2": [HOUR, -HOUR, 5 * MINUTE],
  "worker-1": [-HOUR, 0, HOUR],
  "worker-2": [HOUR, -HOUR, 0],
  "worker-3": [0, -10 * SECOND, HOUR, -HOUR],
};

export const clock: Scenario = {
  about: "APIs and workers whose wall clocks differ by up to two hours, set 20 times by up to two hours",
  stack: {
    ...TWO_APIS_THREE_WORKERS,
    envOf: (name) => shiftedClock(CLOCKS[name] ?? 0, { signal: CLOCK_SIGNAL }),
  },
  async run(context) {
    const { options, faults, random, stack } = context;
    await underLoad(context, requestMix(context, { name: "clock", ...STREAMING }), async () => {
      await times(options.times ?? 20, context, async () => {
        await pause(context, 5 * SECOND, 9 * SECOND);
        faults.setClock(random.pick([...stack.apis, ...stack.workers]));
      });
      await delay(2 * SECOND);
    });
  },
};
