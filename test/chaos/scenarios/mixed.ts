/** Everything at once: for as long as wanted, and a short one for every test run. */
import { setTimeout as delay } from "node:timers/promises";
import { SECOND } from "@agent-paas/shared/time.ts";
import { type SeededRandom, seededRandom } from "../../support/seeded-random.ts";
import { CRASH_POINTS } from "../faults.ts";
import { LASTING_FAULTS, PASSING_FAULTS, type QuestionShape } from "../question.ts";
import { watchProcesses } from "../watch-processes.ts";
import { mixOf, PAST_THE_LOCK_MS, type Scenario, STREAMING, TWO_APIS_THREE_WORKERS, underLoad } from "./scenario.ts";

/** One in eight meets a fault of the model that passes, one in forty one that stays. */
function withModelFaults(random: SeededRandom, shape: QuestionShape): QuestionShape {
  const drawn = random.int(1, 40);
  if (drawn === 1) return { ...shape, fault: random.pick(LASTING_FAULTS), status: "failed" };
  return drawn <= 6 ? { ...shape, fault: random.pick(PASSING_FAULTS) } : shape;
}

type Act = () => Promise<void>;

/**
 * Three lanes of faults side by side: workers, an API, Redis. The last worker is not killed but at crash points, the last
 * API not at all: by them it shows whether anything grows.
 */
export const mixed: Scenario = {
  about: "everything at once",
  stack: TWO_APIS_THREE_WORKERS,
  async run(context) {
    const { stack, faults, record, options } = context;
    const endAt = performance.now() + options.lengthMs;
    async function lane(
      no: number,
      everyMs: readonly [number, number],
      actsOf: (random: SeededRandom) => readonly Act[],
    ) {
      // Its own, because the lanes take turns as the machine pleases.
      const random = seededRandom(options.seed * 1_019 + no);
      const acts = actsOf(random);
      for (;;) {
        const pauseMs = random.int(...everyMs);
        if (performance.now() + pauseMs > endAt) return;
        await delay(pauseMs);
        await random.pick(acts)();
      }
    }
    const [mortal, [api]] = [stack.workers.slice(0, -1), stack.apis];
    const workersLane = (random: SeededRandom): Act[] => [
      () => faults.kill(random.pick(mortal), random.int(0, 5 * SECOND)),
      () => faults.kill(random.pick(mortal)),
      () => faults.pause(random.pick(stack.workers), random.int(...PAST_THE_LOCK_MS)),
      () => faults.restart(random.pick(mortal)),
      () => faults.crashAt(random.pick(CRASH_POINTS)),
    ];
    const apiLane = (random: SeededRandom): Act[] => [
      async () => api && faults.kill(api),
      async () => api && faults.restart(api),
      async () => api && faults.pause(api, random.int(SECOND, 5 * SECOND)),
    ];
    const redisLane = (random: SeededRandom): Act[] => [
      () => faults.killRedis(random.int(SECOND, options.outageMs)),
      () => faults.pauseRedis(random.int(SECOND, 5 * SECOND)),
      faults.resetConnections,
    ];
    const watch = watchProcesses(stack, record);
    try {
      const ask = mixOf(context, { name: "mixed", ...STREAMING, adapt: withModelFaults });
      await underLoad(context, ask, async () => {
        await Promise.all([
          lane(1, [8 * SECOND, 20 * SECOND], workersLane),
          lane(2, [10 * SECOND, 40 * SECOND], apiLane),
          lane(3, [20 * SECOND, 60 * SECOND], redisLane),
        ]);
      });
    } finally {
      watch.stop();
    }
  },
};

/** Each kind of fault once, in a drawn order, within a minute. */
export const short: Scenario = {
  about: "each kind of fault once",
  stack: TWO_APIS_THREE_WORKERS,
  async run(context) {
    const { stack, faults, random } = context;
    const [first, second, third] = stack.workers;
    const [api] = stack.apis;
    if (first === undefined || second === undefined || third === undefined || api === undefined) return;
    const ask = mixOf(context, { name: "short", ...STREAMING, adapt: withModelFaults });
    await underLoad(context, ask, async () => {
      // Past its lock, while the others take over.
      const zombie = faults.pause(third, PAST_THE_LOCK_MS[0]);
      const acts = [
        () => faults.kill(first),
        () => faults.crashAt(random.pick(CRASH_POINTS)),
        () => faults.kill(api),
        () => faults.killRedis(2 * SECOND),
        () => faults.restart(second),
        faults.resetConnections,
      ];
      while (acts.length > 0) {
        await delay(random.int(200, 800));
        await acts.splice(random.int(0, acts.length - 1), 1)[0]?.();
      }
      await zombie;
    });
  },
};
