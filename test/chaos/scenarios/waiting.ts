/** Jobs wait for people, who decide what they ask while workers, APIs and Redis are killed. */
import { setTimeout as delay } from "node:timers/promises";
import { MINUTE, SECOND } from "@agent-paas/shared/time.ts";
import { waitFor } from "../../support/wait-for.ts";
import { request } from "../connection.ts";
import { startLoad } from "../load.ts";
import { makeQuestion } from "../question.ts";
import {
  anyWorker,
  type Context,
  pause,
  type Scenario,
  TWO_APIS_THREE_WORKERS,
  times,
  withReplays,
} from "./scenario.ts";

/** Each asks three times: for one call, then for two together. */
const JOBS = 50;
/** Slow enough that most jobs wait during most of the kills. */
const DECISION_EVERY_MS = [150, 450] as const;

type WaitingJob = { readonly id: string; readonly waiting_for: readonly { readonly request_id: string }[] };

/** Questions whose every call needs an approval. */
const asking =
  ({ stack, random }: Context) =>
  (no: number) => {
    const shape = { label: `wait-${no}`, words: 6, rate: 40, effectsFile: stack.effectsFile };
    const question = makeQuestion(shape, random);
    const config = { ...question.config, approve: ["count_*"] };
    const kind = no % 2 === 0 ? ("chat" as const) : ("execute" as const);
    return { question: { ...question, config }, kind, reads: "stream" as const, cuts: [], api: no % 2 };
  };

/** The inbox as an API has it; empty while it cannot say. */
async function inbox({ stack, random }: Context): Promise<readonly WaitingJob[]> {
  const response = await request(random.pick(stack.apis).origin, "/jobs?status=waiting&limit=200");
  return response.ok ? ((await response.json()) as { jobs: WaitingJob[] }).jobs : [];
}

/** Two people decide the same at once, by both APIs; what neither of them gets through is asked for again. */
async function decideOne(context: Context): Promise<void> {
  const { stack, random } = context;
  const jobs = await inbox(context);
  if (jobs.length === 0) return;
  const { id, waiting_for } = random.pick(jobs);
  const [{ request_id } = { request_id: "" }] = waiting_for;
  const body = JSON.stringify({ decisions: [{ request_id, decision: "approve" }] });
  await Promise.allSettled(
    stack.apis.map(async ({ origin }) => {
      const response = await request(origin, `/jobs/${id}/decisions`, { method: "POST", body });
      await response.text();
    }),
  );
}

export const waiting: Scenario = {
  about: "50 jobs that wait for people, decided while 20 processes are killed",
  stack: TWO_APIS_THREE_WORKERS,
  async run(context) {
    const { client, record, options, faults, stack, random } = context;
    const load = startLoad({ client, record, atOnce: JOBS, limit: JOBS, requestOf: withReplays(asking(context)) });
    await waitFor("all to wait", async () => (await inbox(context)).length === JOBS, MINUTE);
    let isOver = false;
    const deciding = (async () => {
      while (!isOver) {
        await decideOne(context).catch(() => {});
        await delay(random.int(...DECISION_EVERY_MS));
      }
    })();
    try {
      await times(options.times ?? 20, context, async (no) => {
        await pause(context, SECOND, 3 * SECOND);
        if (no % 4 === 0) await faults.killRedis(SECOND);
        else if (no % 4 === 2) await faults.kill(random.pick(stack.apis));
        else await faults.kill(anyWorker(context));
      });
      await load.finished;
    } finally {
      isOver = true;
      await deciding;
    }
  },
};
