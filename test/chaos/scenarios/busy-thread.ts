/** Agents that keep the thread of their worker busy for longer than jobs keep their locks, beside many streams. */
import { SECOND } from "@agent-paas/shared/time.ts";
import type { JobRow } from "../evidence.ts";
import { makeBlockingQuestion } from "../question.ts";
import { readRows } from "../read-rows.ts";
import { type Context, pause, requestMix, type Scenario, STREAMING, times, underLoad } from "./scenario.ts";

const BLOCKED_MS = 30 * SECOND;
/**
 * A run that has done its work when its native call returns may still end; this one goes on to the next call. Together
 * they are shorter than the minute after which a blocked worker is killed: no other one would take over then.
 */
const BLOCKS = [
  { way: "loop", ms: BLOCKED_MS },
  { way: "child", ms: 24 * SECOND, times: 2 },
  { way: "microtasks", ms: BLOCKED_MS },
  { way: "wait", ms: BLOCKED_MS },
];
/** A job beside a blocker may start again once. */
const MOST_ATTEMPTS = 2;

export const busyThread: Scenario = {
  about: "one of two workers blocked for 30 s by a job, 4 times",
  stack: { apis: 2, workers: 2 },
  // The block, and the time until the name of its job is known and the others have started again.
  bounds: { "job recovery": { share: 1, withinMs: BLOCKED_MS + 15 * SECOND } },
  async run(context) {
    const { client, record, options } = context;
    await underLoad(context, requestMix(context, { name: "busy", ...STREAMING }), async () => {
      await times(options.times ?? BLOCKS.length, context, async (no) => {
        const question = makeBlockingQuestion(`blocker-${no}`, BLOCKS[(no - 1) % BLOCKS.length] ?? {});
        record.write({ type: "fault", value: { at: Date.now(), kind: "block", target: question.label } });
        const asked = client.ask({ question, kind: "execute", reads: "poll", cuts: [], api: no % 2 });
        record.write({ type: "transcript", value: await asked });
        // The blocked worker is back before the next block, so that a job meets one block only.
        await pause(context, BLOCKED_MS, BLOCKED_MS + 5 * SECOND);
      });
    });
    await checkAttempts(context);
  },
};

/** Writes an incident for every blocker that was not given up by name, and every other job that started too often. */
async function checkAttempts({ stack, record }: Context): Promise<void> {
  for (const { task, attempts, error_code } of await readRows<JobRow>(stack.databaseUrl, "select * from agent_logs")) {
    const isBlocker = task.startsWith("blocker-");
    if (isBlocker && error_code !== "agent_failed") {
      record.write({ type: "incident", value: `${task} ended with ${error_code}, not given up by name` });
    } else if (!isBlocker && attempts > MOST_ATTEMPTS) {
      record.write({ type: "incident", value: `${task} had ${attempts} attempts beside a blocker` });
    }
  }
}
