/** Masters of Redis are replaced by their replicas during many streams: `--redis sentinel` and `--redis cluster`. */
import { SECOND } from "@agent-paas/shared/time.ts";
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

export const failovers: Scenario = {
  about: "a master of Redis killed 10 times; needs --redis sentinel or --redis cluster",
  stack: TWO_APIS_THREE_WORKERS,
  bounds: { "redis recovery": { share: 1, withinMs: 10 * SECOND } },
  async run(context) {
    const requestOf = withReplays(requestMix(context, { name: "failover", ...STREAMING }));
    await underLoad(context, requestOf, async () => {
      await times(context.options.times ?? 10, context, async (no) => {
        await pause(context, 3 * SECOND, 6 * SECOND);
        await context.faults.failOver(no);
        await timeRecovery(context, `back-${no}`);
      });
    });
  },
};
