/** Disks that are full, and a database that another process holds: the processes live, and cannot write. */
import { setTimeout as delay } from "node:timers/promises";
import { SECOND } from "@agent-paas/shared/time.ts";
import { seededRandom } from "../../support/seeded-random.ts";
import type { JobRequest } from "../client.ts";
import {
  anyWorker,
  type Context,
  cancelled,
  pause,
  requestMix,
  type Scenario,
  STREAMING,
  TWO_APIS_THREE_WORKERS,
  timeRecovery,
  times,
  underLoad,
} from "./scenario.ts";

/** Jobs that wait for longer than STORAGE_OUTAGE_MS, 2 min by default, may end as `storage_unavailable`. */
const WAITED_OUT_MS = 90 * SECOND;
/** One job in six is cancelled, many of them during an outage. */
const CANCEL_EVERY = 6;

/** No client cuts its stream, and no API is touched: each stream stays on its first connection. */
function requestsDuringOutages(context: Context) {
  const { options } = context;
  const requestOf = requestMix(context, { name: "disk", ...STREAMING });
  const patience = options.outageMs > WAITED_OUT_MS ? { mayFailWith: "storage_unavailable" } : {};
  return (no: number): JobRequest => {
    const { question, ...request } = requestOf(no);
    const expected = { ...question.expected, ...patience, keepsConnection: true };
    const uncut = { ...request, question: { ...question, expected }, cuts: [] };
    return no % CANCEL_EVERY === 0 ? cancelled(uncut, seededRandom(options.seed + no).int(0, 10 * SECOND)) : uncut;
  };
}

export const diskFull: Scenario = {
  about: "4 times the disk of the database is full, or another process holds its lock, for 30 s",
  stack: { ...TWO_APIS_THREE_WORKERS, surroundings: { smallDisk: true } },
  bounds: { "storage recovery": { share: 1, withinMs: 20 * SECOND } },
  async run(context) {
    const { options, faults, progress } = context;
    if (!faults.canFillDisk) progress("no disk can be mounted here: locks only");
    await underLoad(context, requestsDuringOutages(context), async () => {
      await times(options.times ?? 4, context, async (no) => {
        await pause(context, 3 * SECOND, 6 * SECOND);
        const end = await (faults.canFillDisk && no % 2 === 1 ? faults.fillDisk() : faults.lockDatabase());
        const over = delay(options.outageMs);
        try {
          // Its jobs are claimed, and none of what they wait to write is written.
          await faults.kill(anyWorker(context));
          await over;
        } finally {
          await end();
        }
        await timeRecovery(context, `room-${no}`, "storage");
      });
    });
  },
};

export const logFull: Scenario = {
  about: "4 times LOG_DIR is full for 30 s, while processes are killed and restarted",
  stack: { ...TWO_APIS_THREE_WORKERS, surroundings: { smallLogs: true } },
  async run(context) {
    const { options, faults, random, stack } = context;
    await underLoad(context, requestMix(context, { name: "log", ...STREAMING }), async () => {
      await times(options.times ?? 4, context, async () => {
        await pause(context, 2 * SECOND, 4 * SECOND);
        const end = await faults.fillLogs();
        const over = delay(options.outageMs);
        try {
          await faults.kill(anyWorker(context));
          await faults.restart(anyWorker(context));
          await faults.restart(random.pick(stack.apis));
          await over;
        } finally {
          await end();
        }
      });
    });
  },
};
