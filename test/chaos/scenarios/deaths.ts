/** Workers and Redis are killed, or paused for so long that they count as dead, during many streams. */
import { setTimeout as delay } from "node:timers/promises";
import { SECOND } from "@agent-paas/shared/time.ts";
import { CRASH_POINTS } from "../faults.ts";
import {
  anyWorker,
  cancelled,
  LONG_PAUSE_MS,
  pause,
  RECOVERY,
  requestMix,
  type Scenario,
  STREAMING,
  TWO_APIS_THREE_WORKERS,
  timeRecovery,
  times,
  underLoad,
  withReplays,
} from "./scenario.ts";

export const workerKills: Scenario = {
  about: "20 workers killed during streams",
  stack: TWO_APIS_THREE_WORKERS,
  bounds: RECOVERY,
  async run(context) {
    await underLoad(context, requestMix(context, { name: "kill", ...STREAMING }), async () => {
      await times(context.options.times ?? 20, context, async () => {
        // Long enough that few jobs are hit four times; a job hit more often may fail with `worker_lost`.
        await pause(context, 6 * SECOND, 10 * SECOND);
        await context.faults.kill(anyWorker(context));
      });
    });
  },
};

export const redisKills: Scenario = {
  about: "Redis killed 10 times and down for 30 s each time",
  stack: TWO_APIS_THREE_WORKERS,
  bounds: { "redis recovery": { share: 1, withinMs: 10 * SECOND } },
  async run(context) {
    const requestOf = withReplays(requestMix(context, { name: "redis", ...STREAMING }));
    await underLoad(context, requestOf, async () => {
      await times(context.options.times ?? 10, context, async (no) => {
        await pause(context, 3 * SECOND, 6 * SECOND);
        await context.faults.killRedis(context.options.outageMs);
        await timeRecovery(context, `back-${no}`);
      });
    });
  },
};

export const databaseRestarts: Scenario = {
  about: "PostgreSQL restarted 10 times as after a crash; away for up to 5 s, every third time for 30 s",
  stack: TWO_APIS_THREE_WORKERS,
  needs: "postgres",
  bounds: { "storage recovery": { share: 1, withinMs: 10 * SECOND } },
  async run(context) {
    const { options, faults, random } = context;
    await underLoad(context, requestMix(context, { name: "database", ...STREAMING }), async () => {
      await times(options.times ?? 10, context, async (no) => {
        await pause(context, 3 * SECOND, 6 * SECOND);
        await faults.restartDatabase(no % 3 === 0 ? options.outageMs : random.int(0, 5 * SECOND));
        await timeRecovery(context, `back-${no}`, "storage");
      });
    });
  },
};

export const zombies: Scenario = {
  about: "20 workers paused until others have taken over their jobs, then resumed",
  stack: TWO_APIS_THREE_WORKERS,
  async run(context) {
    const { options, stack, random, faults } = context;
    await underLoad(context, requestMix(context, { name: "zombie", ...STREAMING }), async () => {
      // Two workers are paused while the third continues.
      await times(Math.ceil((options.times ?? 20) / 2), context, async () => {
        const running = random.pick(stack.workers);
        const paused = stack.workers.filter((worker) => worker !== running).slice(0, 2);
        await pause(context, 2 * SECOND, 4 * SECOND);
        await Promise.all(paused.map((worker) => faults.pause(worker, random.int(...LONG_PAUSE_MS))));
      });
      await delay(2 * SECOND);
    });
  },
};

const CANCEL_EVERY = 6;

export const crashPoints: Scenario = {
  about: "workers killed 10 times at each of their crash points",
  // Few jobs per worker, so that few jobs are hit four times; a job hit more often may fail with `worker_lost`.
  stack: { apis: 2, workers: 4, workerEnv: { WORKER_CHAT_CONCURRENCY: "2", WORKER_EXECUTE_CONCURRENCY: "2" } },
  async run(context) {
    const requestOf = requestMix(context, { name: "point", words: [3, 8], rate: [40, 80] });
    // Most of them while they wait: `taken_over` is passed for those.
    const withCancels = (no: number) => (no % CANCEL_EVERY === 0 ? cancelled(requestOf(no), 0) : requestOf(no));
    await underLoad(context, withCancels, async () => {
      await times(context.options.times ?? 10, context, async () => {
        for (const point of CRASH_POINTS) await context.faults.crashAt(point);
      });
    });
  },
};
