/** What a scenario is given, and what several of them do. */
import { setTimeout as delay } from "node:timers/promises";
import { SECOND } from "@agent-paas/shared/time.ts";
import type { SeededRandom } from "../../support/seeded-random.ts";
import { waitFor } from "../../support/wait-for.ts";
import type { Ask, Client } from "../client.ts";
import type { Faults } from "../faults.ts";
import { type Load, type Mix, mixedAsk, startLoad } from "../load.ts";
import type { ChaosOptions } from "../options.ts";
import { makeQuestion } from "../question.ts";
import type { Part, Stack, StackOptions } from "../stack.ts";
import type { Bounds } from "../table.ts";
import type { Record } from "../transcript.ts";

export type Context = {
  readonly options: ChaosOptions;
  readonly stack: Stack;
  readonly faults: Faults;
  readonly client: Client;
  readonly record: Record;
  readonly random: SeededRandom;
  /** To whoever watches. */
  readonly say: (line: string) => void;
};

export type Scenario = {
  /** One line for people. */
  readonly about: string;
  readonly stack: Omit<StackOptions, "dir">;
  readonly bounds?: Bounds;
  run(context: Context): Promise<void>;
};

export const TWO_APIS_THREE_WORKERS = { apis: 2, workers: 3 } as const;

/** Lock duration + check interval, and the moment that the start takes. */
export const RECOVERY: Bounds = { "job recovery": { share: 0.95, withinMs: 25 * SECOND } };

/** Answers of 1 to 5 s, so that whoever dies is in the middle of many. */
export const STREAMING = { words: [20, 60], rate: [20, 30] } as const satisfies Partial<Mix>;

/** Longer than the lock of a job. */
export const PAST_THE_LOCK_MS = [21 * SECOND, 25 * SECOND] as const;

export function mixOf({ options, stack }: Context, mix: Omit<Mix, "seed" | "effectsFile">): (no: number) => Ask {
  return mixedAsk({ ...mix, seed: options.seed, effectsFile: stack.effectsFile });
}

/** Does the work while clients keep asking; resolves when all of them have their answers. */
export async function underLoad(context: Context, ask: (no: number) => Ask, work: (load: Load) => Promise<void>) {
  const { client, record, options } = context;
  const load = startLoad({ client, record, atOnce: options.atOnce, ask });
  try {
    await waitFor("the load to stand", () => load.accepted() >= options.atOnce, 60 * SECOND);
    await work(load);
  } finally {
    await load.stop();
  }
}

export async function times(count: number, { say }: Context, work: (no: number) => Promise<void>): Promise<void> {
  for (let no = 1; no <= count; no++) {
    await work(no);
    say(`${no} of ${count}`);
  }
}

export const pause = ({ random }: Context, leastMs: number, mostMs: number) => delay(random.int(leastMs, mostMs));

export const anyWorker = ({ random, stack }: Context): Part => random.pick(stack.workers);

/** How long after Redis is back a new chat is whole again. */
export async function timeToWork({ client, record, random }: Context, label: string): Promise<void> {
  const startedAt = performance.now();
  const question = makeQuestion({ label, words: 3, rate: 0, effectsFile: null }, random);
  const transcript = await client.ask({ question, kind: "chat", reads: "stream", cuts: [], api: 0 });
  record.write({ type: "timing", value: { what: "redis", ms: performance.now() - startedAt } });
  record.write({ type: "transcript", value: transcript });
}
