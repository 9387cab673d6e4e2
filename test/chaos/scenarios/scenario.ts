/** The context of a scenario, and the actions that several scenarios share. */
import { setTimeout as delay } from "node:timers/promises";
import { SECOND } from "@agent-paas/shared/time.ts";
import type { RestartableProcess } from "../../../scripts/services/restartable-process.ts";
import type { DatabaseKind } from "../../support/database-kind.ts";
import type { SeededRandom } from "../../support/seeded-random.ts";
import { waitFor } from "../../support/wait-for.ts";
import type { Client, JobRequest } from "../client.ts";
import type { Faults } from "../faults.ts";
import { type Load, type Mix, mixedRequests, startLoad } from "../load.ts";
import type { ChaosOptions } from "../options.ts";
import { makeQuestion } from "../question.ts";
import type { Stack, StackOptions } from "../stack.ts";
import type { Bounds } from "../table.ts";
import type { RunRecord, Timing } from "../transcript.ts";

export type Context = {
  readonly options: ChaosOptions;
  readonly stack: Stack;
  readonly faults: Faults;
  readonly client: Client;
  readonly record: RunRecord;
  readonly random: SeededRandom;
  /** Prints a line for the person who watches the run. */
  readonly progress: (line: string) => void;
};

export type Scenario = {
  /** One line for the list of scenarios. */
  readonly about: string;
  readonly stack: Omit<StackOptions, "dir" | "database">;
  /** The only database on which the scenario has a meaning; default: both. */
  readonly needs?: DatabaseKind;
  readonly bounds?: Bounds;
  /** Packets are dropped for real where the run can have a network of its own. */
  readonly inOwnNetwork?: boolean;
  run(context: Context): Promise<void>;
};

export const TWO_APIS_THREE_WORKERS = { apis: 2, workers: 3 } as const;

/** A worker counts as dead after 3 to 4 s of silence; the rest is the time of the start. */
export const RECOVERY: Bounds = { "job recovery": { share: 0.95, withinMs: 6 * SECOND } };

/** Answers of 1 to 5 s, so that a process that dies interrupts many of them. */
export const STREAMING = { words: [20, 60], rate: [20, 30] } as const satisfies Partial<Mix>;

/** Longer than a worker may be silent; some outlast the locks of 20 s, too. */
export const LONG_PAUSE_MS = [5 * SECOND, 25 * SECOND] as const;

export function requestMix({ options, stack }: Context, mix: Omit<Mix, "seed" | "effectsFile">) {
  return mixedRequests({ ...mix, seed: options.seed, effectsFile: stack.effectsFile });
}

/** The same request, cancelled this long after its acceptance; it may end before that. */
export function cancelled(request: JobRequest, cancelAfterMs: number): JobRequest {
  const { question } = request;
  const expected = { ...question.expected, status: "any" as const };
  return { ...request, question: { ...question, expected }, cancelAfterMs };
}

/**
 * The same requests where faults keep APIs from Redis: of a job that has ended, such an API sends the text of its row
 * as one event.
 */
export const withReplays =
  (requestOf: (no: number) => JobRequest) =>
  (no: number): JobRequest => {
    const { question, ...request } = requestOf(no);
    return { ...request, question: { ...question, expected: { ...question.expected, mayBeReplayed: true } } };
  };

/** Runs the work while clients keep asking; resolves when all clients have their answers. */
export async function underLoad(
  context: Context,
  requestOf: (no: number) => JobRequest,
  work: (load: Load) => Promise<void>,
): Promise<void> {
  const { client, record, options } = context;
  const load = startLoad({ client, record, atOnce: options.atOnce, requestOf });
  try {
    await waitFor("the load to reach its level", () => load.accepted() >= options.atOnce, 60 * SECOND);
    await work(load);
  } finally {
    await load.stop();
  }
}

export async function times(count: number, { progress }: Context, work: (no: number) => Promise<void>): Promise<void> {
  for (let no = 1; no <= count; no++) {
    await work(no);
    progress(`${no} of ${count}`);
  }
}

export const pause = ({ random }: Context, leastMs: number, mostMs: number) => delay(random.int(leastMs, mostMs));

export const anyWorker = ({ random, stack }: Context): RestartableProcess => random.pick(stack.workers);

/** Measures the time from now, when something has returned, to the end of the next complete chat. */
export async function timeRecovery(
  { client, record, random }: Context,
  label: string,
  what: Timing["what"] = "redis",
): Promise<void> {
  const startedAt = performance.now();
  const question = makeQuestion({ label, words: 3, rate: 0, effectsFile: null }, random);
  const transcript = await client.ask({ question, kind: "chat", reads: "stream", cuts: [], api: 0 });
  record.write({ type: "timing", value: { what, ms: performance.now() - startedAt } });
  record.write({ type: "transcript", value: transcript });
}
