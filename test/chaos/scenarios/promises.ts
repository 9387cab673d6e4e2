/** Promises to clients that hold whether or not processes die: cancel, idempotency, session order, rolling restarts. */
import { SECOND } from "@agent-paas/shared/time.ts";
import { inParallel } from "../../support/in-parallel.ts";
import { seededRandom } from "../../support/seeded-random.ts";
import type { JobRequest } from "../client.ts";
import { startLoad } from "../load.ts";
import { makeQuestion } from "../question.ts";
import type { Transcript } from "../transcript.ts";
import {
  anyWorker,
  type Context,
  pause,
  requestMix,
  type Scenario,
  STREAMING,
  TWO_APIS_THREE_WORKERS,
  times,
  underLoad,
} from "./scenario.ts";

export const cancels: Scenario = {
  about: "1000 jobs cancelled at random moments",
  stack: TWO_APIS_THREE_WORKERS,
  bounds: { "upstream closed": { share: 0.95, withinMs: SECOND } },
  async run(context) {
    const { client, record, options } = context;
    const mixed = requestMix(context, {
      name: "cancel",
      words: [5, 40],
      rate: [20, 40],
      adapt: (_, shape) => ({ ...shape, status: "any" }),
    });
    const requestOf = (no: number): JobRequest => ({
      ...mixed(no),
      cancelAfterMs: seededRandom(options.seed + no).int(0, 2 * SECOND),
    });
    const load = startLoad({ client, record, requestOf, atOnce: options.atOnce, limit: options.times ?? 1_000 });
    // The load ends by itself at its limit.
    await load.finished;
  },
};

const POSTS = 50;
const KEYS_AT_ONCE = 4;
/** An API is killed once per this number of keys, during the requests for other keys. */
const KILL_EVERY = 40;

export const idempotency: Scenario = {
  about: "200 Idempotency-Keys, each used by 50 concurrent requests and once more at the end",
  stack: TWO_APIS_THREE_WORKERS,
  async run(context) {
    const { client, record, options, stack, faults, random } = context;
    const keys = Array.from({ length: options.times ?? 200 }, (_, at) => at);
    async function use(at: number, posts: number): Promise<void> {
      const own = seededRandom(options.seed * 1_009 + at);
      const effectsFile = at % 3 === 0 ? stack.effectsFile : null;
      const question = makeQuestion({ label: `key-${at}`, words: 5, rate: 100, effectsFile }, own);
      const kind = own.pick(["chat", "execute"] as const);
      const transcripts = Array.from({ length: posts }, (_, api) =>
        client.ask({ question, kind, reads: "stream", cuts: [], api }),
      );
      for (const value of await Promise.all(transcripts)) record.write({ type: "transcript", value });
    }
    const kills: Promise<void>[] = [];
    await inParallel(KEYS_AT_ONCE, keys, (at) => {
      if (at % KILL_EVERY === KILL_EVERY / 2) kills.push(faults.kill(random.pick(stack.apis)));
      return use(at, POSTS);
    });
    await Promise.all(kills);
    await inParallel(KEYS_AT_ONCE, keys, (at) => use(at, 1));
  },
};

const MESSAGES = 10;

export const sessions: Scenario = {
  about: "100 sessions of 10 messages on 4 workers, 3 of which are killed",
  stack: { apis: 2, workers: 4 },
  async run(context) {
    const { options, faults } = context;
    const all = Array.from({ length: options.times ?? 100 }, (_, at) => at);
    const kills = times(3, context, async () => {
      await pause(context, 4 * SECOND, 8 * SECOND);
      await faults.kill(anyWorker(context));
    });
    await inParallel(options.atOnce, all, (at) => converse(context, at));
    await kills;
  },
};

/** Sends each message as soon as the previous one is accepted, and waits for all answers at the end. */
async function converse({ client, record, options }: Context, at: number): Promise<void> {
  const random = seededRandom(options.seed * 1_013 + at);
  const answers: Promise<Transcript>[] = [];
  let sessionId: string | undefined;
  for (let no = 1; no <= MESSAGES; no++) {
    const question = makeQuestion(
      { label: `session-${at}-${no}`, words: random.int(6, 16), rate: random.int(20, 40), effectsFile: null },
      random,
    );
    const conversation = { session: `session-${at}`, no };
    const own = sessionId === undefined ? {} : { sessionId };
    const accepted = await new Promise<Transcript>((resolve) => {
      const request: JobRequest = {
        question,
        kind: "chat",
        reads: "stream",
        cuts: [],
        api: no,
        conversation,
        ...own,
        onAccepted: resolve,
      };
      // A message that is never accepted resolves when its client gives up.
      const answered = client.ask(request);
      void answered.then(resolve);
      answers.push(answered);
    });
    sessionId ??= accepted.sessionId ?? undefined;
  }
  for (const value of await Promise.all(answers)) record.write({ type: "transcript", value });
}

export const rolling: Scenario = {
  about: "3 rolling restarts of all APIs and workers under load",
  stack: TWO_APIS_THREE_WORKERS,
  async run(context) {
    const { stack, faults, options } = context;
    await underLoad(context, requestMix(context, { name: "roll", ...STREAMING }), async () => {
      await times(options.times ?? 3, context, async () => {
        for (const target of [...stack.workers, ...stack.apis]) {
          await pause(context, SECOND, 2 * SECOND);
          await faults.restart(target);
        }
      });
    });
  },
};
