/** How high a search puts what answers a question. */
import type { StoredChunk } from "@agent-paas/agents/retrieval/vector-store.ts";
import type { Question } from "./question-set.ts";

export type Found = Pick<StoredChunk, "documentId" | "heading">;
export type Search = (query: string, topK: number) => Promise<readonly Found[]>;

export type Quality = {
  /** The share of questions with an answer among the first passage, the first three, the first ten. */
  readonly recall: readonly [number, number, number];
  /** The mean of 1/rank, 0 beyond the tenth. */
  readonly mrr: number;
  readonly medianMs: number;
};

const TOP_K = 10;

export async function measure(questions: readonly Question[], search: Search): Promise<Quality> {
  const ranks: number[] = [];
  const times: number[] = [];
  for (const { question, isAnsweredBy } of questions) {
    const begun = performance.now();
    const found = await search(question, TOP_K);
    times.push(performance.now() - begun);
    ranks.push(found.findIndex(isAnsweredBy) + 1);
  }
  const share = (most: number) => ranks.filter((rank) => rank > 0 && rank <= most).length / ranks.length;
  return {
    recall: [share(1), share(3), share(TOP_K)],
    mrr: ranks.reduce((sum, rank) => sum + (rank > 0 ? 1 / rank : 0), 0) / ranks.length,
    medianMs: times.sort((a, b) => a - b)[times.length >> 1] ?? 0,
  };
}
