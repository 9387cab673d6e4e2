/** Workers and Redis die, or sleep past their locks, in the middle of many streams. */
import { setTimeout as delay } from "node:timers/promises";
import { SECOND } from "@agent-paas/shared/time.ts";
import { CRASH_POINTS } from "../faults.ts";
import {
  anyWorker,
  mixOf,
  PAST_THE_LOCK_MS,
  pause,
  RECOVERY,
  type Scenario,
  STREAMING,
  TWO_APIS_THREE_WORKERS,
  times,
  timeToWork,
  underLoad,
} from "./scenario.ts";

export const workerKills: Scenario = {
  about: "20 workers killed in the middle of streams",
  stack: TWO_APIS_THREE_WORKERS,
  bounds: RECOVERY,
  async run(context) {
    await underLoad(context, mixOf(context, { name: "kill", ...STREAMING }), async () => {
      await times(context.options.times ?? 20, context, async () => {
        // Long enough that a job is seldom hit by four of them, after which it may be given up.
        await pause(context, 6 * SECOND, 10 * SECOND);
        await context.faults.kill(anyWorker(context));
      });
    });
  },
};

export const redisKills: Scenario = {
  about: "10 times Redis is killed and away for 30 s",
  stack: TWO_APIS_THREE_WORKERS,
  bounds: { "redis recovery": { share: 1, withinMs: 10 * SECOND } },
  async run(context) {
    await underLoad(context, mixOf(context, { name: "redis", ...STREAMING }), async () => {
      await times(context.options.times ?? 10, context, async (no) => {
        await pause(context, 3 * SECOND, 6 * SECOND);
        await context.faults.killRedis(context.options.outageMs);
        await timeToWork(context, `back-${no}`);
      });
    });
  },
};

export const zombies: Scenario = {
  about: "20 workers paused past the lock of their jobs, then woken",
  stack: TWO_APIS_THREE_WORKERS,
  async run(context) {
    const { options, stack, random, faults } = context;
    await underLoad(context, mixOf(context, { name: "zombie", ...STREAMING }), async () => {
      // Two sleep while one goes on.
      await times(Math.ceil((options.times ?? 20) / 2), context, async () => {
        const awake = random.pick(stack.workers);
        const asleep = stack.workers.filter((worker) => worker !== awake).slice(0, 2);
        await pause(context, 2 * SECOND, 4 * SECOND);
        await Promise.all(asleep.map((worker) => faults.pause(worker, random.int(...PAST_THE_LOCK_MS))));
      });
      await delay(2 * SECOND);
    });
  },
};

export const crashPoints: Scenario = {
  about: "workers killed 10 times at each of their crash points",
  // Few jobs in each, so that a job is seldom hit by four crashes, after which it may be given up.
  stack: { apis: 2, workers: 4, workerEnv: { WORKER_CHAT_CONCURRENCY: "2", WORKER_EXECUTE_CONCURRENCY: "2" } },
  async run(context) {
    const ask = mixOf(context, { name: "point", words: [3, 8], rate: [40, 80] });
    await underLoad(context, ask, async () => {
      await times(context.options.times ?? 10, context, async () => {
        for (const point of CRASH_POINTS) await context.faults.crashAt(point);
      });
    });
  },
};
