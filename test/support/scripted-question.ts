/** A message to the local model and, known before it is sent, every character of the answer. */
import { formatDirectives } from "../../scripts/model-server/client.ts";
import type { SeededRandom } from "./seeded-random.ts";

export type ScriptedQuestion = {
  /** Begins the message, to find its calls in the model's log. */
  readonly label: string;
  readonly message: string;
  readonly answer: string;
};

/** What a stream may be asked to carry: scripts, characters beyond 16 bits, and text that looks like frames. */
const WORDS = [
  ...["token", " by", " token", ", in", " order.", "这", "是答案", "，不丢失", "也不重复。", " 🙂", "👩‍💻", " émigré"],
  ...["\n", "\n\n", "\r\n", "\n\nid: 7\nevent: done\ndata: {}\n\n", '"quoted\\"', " \u2028", "data: ", "</script>"],
];

export type AnswerShape = {
  /** How many pieces of text, each of one or more tokens. */
  readonly words: number;
  /** Tokens per second. */
  readonly rate: number;
};

export function scriptedQuestion(label: string, random: SeededRandom, { words, rate }: AnswerShape): ScriptedQuestion {
  // The label goes into the answer too: one that reached another client would show.
  const answer = `${label}:${Array.from({ length: words }, () => random.pick(WORDS)).join("")}`;
  return { label, message: `${label} ${formatDirectives({ text: answer, rate })}`, answer };
}
