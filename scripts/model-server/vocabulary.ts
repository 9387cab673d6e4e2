/**
 * The source of the tokens of `tokens=N`: two short texts, repeated endlessly from a start that depends on the
 * question. Nothing is stored per answer, so the length of an answer costs no memory.
 */
import { hash32, type Language } from "./text.ts";
import { tokenize } from "./tokenize.ts";

/** Tokens by index, so that a long answer need not exist before it is sent. */
export type TokenSource = {
  readonly length: number;
  at(index: number): string;
};

/** The English text starts with a space and the sentences end in a mark, so that repetitions join correctly. */
const TOKENS: Record<Language, readonly string[]> = {
  en: tokenize(
    " A queue takes the work, and a worker makes it happen. Each token travels alone, arrives in order, and is never" +
      " sent twice. When a process dies, another reads the journal and goes on. Nothing waits without a limit.",
  ),
  zh: tokenize(
    "队列接收任务，工作进程逐个完成。每个词元依次到达，既不丢失，也不重复。进程若中断，另一个会读取日志继续执行。" +
      "所有等待都有期限，所有缓冲都有上限。",
  ),
};

/** Indices at which an answer may begin: the starts of sentences. */
const SENTENCE_STARTS = {
  en: sentenceStarts(TOKENS.en),
  zh: sentenceStarts(TOKENS.zh),
} satisfies Record<Language, readonly number[]>;

function sentenceStarts(tokens: readonly string[]): number[] {
  return tokens.map((_, at) => at).filter((at) => at === 0 || /[.。]$/.test(tokens[at - 1] ?? ""));
}

export function generatedTokens(length: number, language: Language, seed: string): TokenSource {
  const tokens = TOKENS[language];
  const starts = SENTENCE_STARTS[language];
  const offset = starts[hash32(seed) % starts.length] as number;
  return {
    length,
    at(index) {
      const token = tokens[(offset + index) % tokens.length] as string;
      return index === 0 ? token.trimStart() : token;
    },
  };
}

export function literalTokens(text: string): TokenSource {
  const tokens = tokenize(text);
  return { length: tokens.length, at: (index) => tokens[index] as string };
}
