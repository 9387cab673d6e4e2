/** A constant number of clients, each of which asks one question after the other until the load is stopped. */
import { type SeededRandom, seededRandom } from "../support/seeded-random.ts";
import type { Client, JobRequest } from "./client.ts";
import { makeQuestion, type QuestionShape } from "./question.ts";
import type { RunRecord, Transcript } from "./transcript.ts";

export type Load = {
  /** Number of jobs accepted so far. */
  accepted(): number;
  /** Asks no further questions; resolves when every client has its answer. */
  stop(): Promise<void>;
  /** Resolves when `limit` questions are answered. */
  readonly finished: Promise<void>;
};

export type LoadOptions = {
  readonly client: Client;
  readonly record: RunRecord;
  readonly atOnce: number;
  /** Number of questions after which the load ends by itself; default: none. */
  readonly limit?: number;
  readonly requestOf: (no: number) => JobRequest;
};

export function startLoad({ client, record, atOnce, limit = Infinity, requestOf }: LoadOptions): Load {
  let [next, accepted, stopping] = [0, 0, false];
  async function lane(): Promise<void> {
    while (!stopping && next < limit) {
      const request = requestOf(next++);
      const onAccepted = (begun: Transcript) => {
        accepted += 1;
        request.onAccepted?.(begun);
      };
      const transcript = await client.ask({ ...request, onAccepted });
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
  /** Range of the number of pieces in an answer. */
  readonly words: readonly [least: number, most: number];
  /** Range of the tokens per second. */
  readonly rate: readonly [least: number, most: number];
  readonly adapt?: (random: SeededRandom, shape: QuestionShape) => QuestionShape;
};

/**
 * Chats and execute jobs, a third of them with tools; half of the streams are cut, a third of the execute jobs polled.
 */
export function mixedRequests({ seed, name, effectsFile, words, rate, adapt = (_, shape) => shape }: Mix) {
  return (no: number): JobRequest => {
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
