/** Questions whose answers and tool effects are known beforehand. */
import { formatDirectives } from "../../scripts/model-server/client.ts";
import type { DirectivesInput } from "../../scripts/model-server/step.ts";
import { scriptedQuestion } from "../support/scripted-question.ts";
import type { SeededRandom } from "../support/seeded-random.ts";
import type { Expected } from "./transcript.ts";

export type Question = {
  readonly label: string;
  readonly agent: "chat_basic" | "tool_basic" | "blocking";
  readonly text: string;
  readonly config: object;
  readonly expected: Expected;
};

export type QuestionShape = {
  readonly label: string;
  /** Number of pieces of text in the answer. */
  readonly words: number;
  /** Tokens per second. */
  readonly rate: number;
  /** The file to which the tools write their effects; null: a question without tools. */
  readonly effectsFile: string | null;
  readonly fault?: DirectivesInput;
  readonly status?: Expected["status"];
};

export function makeQuestion(shape: QuestionShape, random: SeededRandom): Question {
  const { label, words, rate, effectsFile: file, fault = {}, status = "completed" } = shape;
  const { answer } = scriptedQuestion(label, random, { words, rate });
  const [once, again] = file === null ? [[], []] : [[`${label}-a`, `${label}-b`], [`${label}-c`]];
  const count = (name: "count_once" | "count_again") => (word: string) => ({
    name,
    arguments: { file: file ?? "", word },
  });
  const [first, ...later] = [...once.map(count("count_once")), ...again.map(count("count_again"))];
  // Two model turns: one call alone, then one call of each kind in parallel.
  const calls = first === undefined ? {} : { calls: [[first], later] };
  // Stamps make the texts of two attempts differ, so a text that mixes attempts is detected.
  const directives = formatDirectives({ text: answer, rate, stamp: true, ...calls, ...fault });
  return {
    label,
    agent: file === null ? "chat_basic" : "tool_basic",
    text: `${label} ${directives}`,
    config: file === null ? {} : { tools: ["count_*"] },
    expected: { answer, status, once, again },
  };
}

/** A question to an agent that keeps the thread of its worker busy, and is given up for it. */
export const makeBlockingQuestion = (label: string, config: object): Question => ({
  label,
  agent: "blocking",
  text: `${label} block`,
  config,
  expected: { answer: "", status: "failed", once: [], again: [] },
});

/** Faults of the model that occur once, so that the next attempt completes. */
export const PASSING_FAULTS: readonly DirectivesInput[] = [
  { fault: "cut", after: 3, times: 1 },
  { fault: "no_done", after: 2, times: 1 },
  { fault: "error_chunk", after: 1, times: 1 },
  { fault: "silence", after: 2, times: 1 },
  { fault: "keepalive", after: 1, times: 1 },
  { fault: "no_headers", times: 1 },
  { fault: 500, times: 1 },
  { fault: 503, times: 1 },
  { fault: 429, times: 1, retry_after: 1 },
];

/** Faults of the model that no retry can heal. */
export const LASTING_FAULTS: readonly DirectivesInput[] = [
  { fault: 401 },
  { fault: "quota" },
  { fault: "context_length" },
];
