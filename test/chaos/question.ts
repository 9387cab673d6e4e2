/** Questions whose answers, and whose tools' effects, are known before they are asked. */
import { formatDirectives } from "../../scripts/model-server/client.ts";
import type { DirectivesInput } from "../../scripts/model-server/step.ts";
import { scriptedQuestion } from "../support/scripted-question.ts";
import type { SeededRandom } from "../support/seeded-random.ts";
import type { Expected } from "./transcript.ts";

export type Question = {
  readonly label: string;
  readonly agent: "chat_basic" | "tool_basic";
  readonly text: string;
  readonly config: object;
  readonly expected: Expected;
};

export type QuestionShape = {
  readonly label: string;
  /** How many pieces the answer has, and how many tokens come in a second. */
  readonly words: number;
  readonly rate: number;
  /** The file in which its tools leave their effects; null: it uses none. */
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
  // Two turns: one call by itself, then one of each kind side by side.
  const calls = first === undefined ? {} : { calls: [[first], later] };
  // Stamped, each attempt says another text, so one that is put together of two attempts' shows.
  const directives = formatDirectives({ text: answer, rate, stamp: true, ...calls, ...fault });
  return {
    label,
    agent: file === null ? "chat_basic" : "tool_basic",
    text: `${label} ${directives}`,
    config: file === null ? {} : { tools: ["count_*"] },
    expected: { answer, status, once, again },
  };
}

/** Faults of the model that pass, so the job's next try completes. */
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

/** Those that no retry heals. */
export const LASTING_FAULTS: readonly DirectivesInput[] = [
  { fault: 401 },
  { fault: "quota" },
  { fault: "context_length" },
];
