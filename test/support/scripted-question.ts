/** A message to the local model whose answer is known to the character before it is sent. */
import { formatDirectives } from "../../scripts/model-server/client.ts";
import type { SeededRandom } from "./seeded-random.ts";

export type ScriptedQuestion = {
  /** The message begins with it, so its calls can be found in the call log of the model. */
  readonly label: string;
  readonly message: string;
  readonly answer: string;
};

/** Text that a stream must carry unchanged: scripts, characters beyond 16 bits, and text that looks like SSE frames. */
const WORDS = [
  ...["token", " by", " token", ", in", " order.", "这", "是答案", "，不丢失", "也不重复。", " 🙂", "👩‍💻", " émigré"],
  ...["\n", "\n\n", "\r\n", "\n\nid: 7\nevent: done\ndata: {}\n\n", '"quoted\\"', " \u2028", "data: ", "</script>"],
];

export type AnswerShape = {
  /** How many pieces of text, each of one or more tokens. */
  readonly words: number;
  /** Tokens per second. */
  readonly rate: number;
  /** Without what may begin a tag of thoughts, which the model client holds until the next token. Default: false. */
  readonly isTagless?: boolean;
};

export function scriptedQuestion(label: string, random: SeededRandom, shape: AnswerShape): ScriptedQuestion {
  const { words, rate, isTagless = false } = shape;
  const vocabulary = isTagless ? WORDS.filter((word) => !word.includes("<")) : WORDS;
  // The answer has the label in it, so that an answer that reaches the wrong client is noticed.
  const answer = `${label}:${Array.from({ length: words }, () => random.pick(vocabulary)).join("")}`;
  return { label, message: `${label} ${formatDirectives({ text: answer, rate })}`, answer };
}
