/** All kinds of faults at once: `mixed` for a given time, `short` for every test run. */
import { setTimeout as delay } from "node:timers/promises";
import { SECOND } from "@agent-paas/shared/time.ts";
import { type SeededRandom, seededRandom } from "../../support/seeded-random.ts";
import { RUN_POINTS } from "../faults.ts";
import { LASTING_FAULTS, PASSING_FAULTS, type QuestionShape } from "../question.ts";
import { watchProcesses } from "../watch-processes.ts";
import {
  LONG_PAUSE_MS,
  requestMix,
  type Scenario,
  STREAMING,
  TWO_APIS_THREE_WORKERS,
  underLoad,
  withReplays,
} from "./scenario.ts";

/** One question in eight meets a passing fault of the model, one in forty a lasting one. */
function withModelFaults(random: SeededRandom, shape: QuestionShape): QuestionShape {
  const drawn = random.int(1, 40);
  if (drawn === 1) return { ...shape, fault: random.pick(LASTING_FAULTS), status: "failed" };
  return drawn <= 6 ? { ...shape, fault: random.pick(PASSING_FAULTS) } : shape;
}

type Action = () => Promise<void>;

/**
 * Three concurrent lanes of faults: workers, one API, Redis. The last worker dies at crash points only and the last API
 * never, so that growth of memory and descriptors can be measured in long-running processes.
 */
export const mixed: Scenario = {
  about: "all kinds of faults at once",
  stack: TWO_APIS_THREE_WORKERS,
  async run(context) {
    const { stack, faults, record, options } = context;
    const endAt = performance.now() + options.lengthMs;
    async function lane(
      no: number,
      everyMs: readonly [number, number],
      actionsOf: (random: SeededRandom) => readonly Action[],
    ) {
      // One generator per lane, because the interleaving of the lanes depends on the machine.
      const random = seededRandom(options.seed * 1_019 + no);
      const actions = actionsOf(random);
      for (;;) {
        const pauseMs = random.int(...everyMs);
        if (performance.now() + pauseMs > endAt) return;
        await delay(pauseMs);
        await random.pick(actions)();
      }
    }
    const [mortal, [api]] = [stack.workers.slice(0, -1), stack.apis];
    const workersLane = (random: SeededRandom): Action[] => [
      () => faults.kill(random.pick(mortal), random.int(0, 5 * SECOND)),
      () => faults.kill(random.pick(mortal)),
      () => faults.pause(random.pick(stack.workers), random.int(...LONG_PAUSE_MS)),
      () => faults.restart(random.pick(mortal)),
      () => faults.crashAt(random.pick(RUN_POINTS)),
    ];
    const apiLane = (random: SeededRandom): Action[] => [
      async () => api && faults.kill(api),
      async () => api && faults.restart(api),
      async () => api && faults.pause(api, random.int(SECOND, 5 * SECOND)),
    ];
    const redisLane = (random: SeededRandom): Action[] => [
      () => faults.killRedis(random.int(SECOND, options.outageMs)),
      () => faults.pauseRedis(random.int(SECOND, 5 * SECOND)),
      faults.resetConnections,
    ];
    const watch = watchProcesses(stack, record);
    try {
      const requestOf = withReplays(requestMix(context, { name: "mixed", ...STREAMING, adapt: withModelFaults }));
      await underLoad(context, requestOf, async () => {
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

/** Each kind of fault once, in a random order, within a minute. */
export const short: Scenario = {
  about: "each kind of fault once",
  stack: TWO_APIS_THREE_WORKERS,
  async run(context) {
    const { stack, faults, random } = context;
    const [first, second, third] = stack.workers;
    const [api] = stack.apis;
    if (first === undefined || second === undefined || third === undefined || api === undefined) return;
    const requestOf = withReplays(requestMix(context, { name: "short", ...STREAMING, adapt: withModelFaults }));
    await underLoad(context, requestOf, async () => {
      // Longer than its jobs' locks; the other workers take its jobs.
      const zombie = faults.pause(third, LONG_PAUSE_MS[0]);
      const actions = [
        () => faults.kill(first),
        () => faults.crashAt(random.pick(RUN_POINTS)),
        () => faults.kill(api),
        () => faults.killRedis(2 * SECOND),
        () => faults.restart(second),
        faults.resetConnections,
      ];
      while (actions.length > 0) {
        await delay(random.int(200, 800));
        await actions.splice(random.int(0, actions.length - 1), 1)[0]?.();
      }
      await zombie;
    });
  },
};
