/** A steady number of clients, each asking one question after the other until the load is stopped. */
import { type SeededRandom, seededRandom } from "../support/seeded-random.ts";
import type { Ask, Client } from "./client.ts";
import { makeQuestion, type QuestionShape } from "./question.ts";
import type { Record } from "./transcript.ts";

export type Load = {
  /** How many jobs were accepted so far. */
  accepted(): number;
  /** Asks nothing more; resolves when every client has its answer. */
  stop(): Promise<void>;
  /** Resolves when all of `most` are answered. */
  readonly finished: Promise<void>;
};

export type LoadOptions = {
  readonly client: Client;
  readonly record: Record;
  readonly atOnce: number;
  /** How many questions at most. */
  readonly most?: number;
  readonly ask: (no: number) => Ask;
};

export function startLoad({ client, record, atOnce, most = Infinity, ask }: LoadOptions): Load {
  let [next, accepted, stopping] = [0, 0, false];
  async function lane(): Promise<void> {
    while (!stopping && next < most) {
      const transcript = await client.ask({ ...ask(next++), onAccepted: () => void accepted++ });
      record.write({ type: "transcript", value: transcript });
    }
  }
  const finished = Promise.all(Array.from({ length: atOnce }, lane)).then(() => {});
  return {
    finished,
    accepted: () => accepted,
    stop() {
      stopping = true;
      return finished;
    },
  };
}

export type Mix = {
  readonly seed: number;
  readonly name: string;
  readonly effectsFile: string;
  /** Pieces of an answer, and tokens per second. */
  readonly words: readonly [least: number, most: number];
  readonly rate: readonly [least: number, most: number];
  readonly adapt?: (random: SeededRandom, shape: QuestionShape) => QuestionShape;
};

/** Chats and execute jobs by turns, a third with tools; half the streams are cut, a third of the execute jobs polled. */
export function mixedAsk({ seed, name, effectsFile, words, rate, adapt = (_, shape) => shape }: Mix) {
  return (no: number): Ask => {
    const random = seededRandom(seed * 1_000_003 + no);
    const shape: QuestionShape = {
      label: `${name}-${no}`,
      words: random.int(...words),
      rate: random.int(...rate),
      effectsFile: no % 3 === 0 ? effectsFile : null,
    };
    const kind = random.pick(["chat", "execute"] as const);
    const reads = kind === "execute" && random.int(1, 3) === 1 ? "poll" : "stream";
    const cuts = random.int(0, 1) === 0 ? [] : Array.from({ length: random.int(1, 3) }, () => random.int(1, 15));
    return { question: makeQuestion(adapt(random, shape), random), kind, reads, cuts, api: random.int(0, 1) };
  };
}
