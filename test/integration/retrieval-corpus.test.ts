/**
 * Questions that users would ask about the project's own documents, with the local embedding, on a real Chroma. Prints
 * the table that docs/documents.md shows.
 */
import { createChromaStore } from "@agent-paas/agents/retrieval/chroma-store.ts";
import { createLocalEmbedder } from "@agent-paas/agents/retrieval/local-embedder.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Server } from "../../scripts/services/server.ts";
import { openBm25 } from "../bench/retrieval/bm25.ts";
import { searchOf, storeSet } from "../bench/retrieval/ours.ts";
import { isUnder, ownQuestions, type QuestionSet } from "../bench/retrieval/question-set.ts";
import { measure, type Search } from "../bench/retrieval/rank.ts";
import { QUESTIONS } from "../fixtures/corpus-questions.ts";
import { startTestChroma } from "../support/chroma.ts";

const COLLECTION = "corpus";
const embedder = createLocalEmbedder();

let chroma: Server;
let search: Search;
let sets: Readonly<Record<keyof typeof QUESTIONS, QuestionSet>>;

beforeAll(async () => {
  chroma = await startTestChroma();
  const store = createChromaStore({ url: chroma.url });
  sets = { en: await ownQuestions("en"), zh: await ownQuestions("zh") };
  // Both languages ask the same documents.
  await storeSet(store, COLLECTION, embedder, sets.en);
  search = searchOf(store, COLLECTION, embedder, true);
});
afterAll(() => chroma.stop());

test.each(["en", "zh"] as const)(
  "the right document is among the first three for nine of ten questions (%s)",
  async (language) => {
    const rows = await Promise.all(
      QUESTIONS[language].map(async (asked) => {
        const passages = await search(asked.question, 10);
        const ofSource = passages.map(({ documentId }) => asked.sources.includes(documentId));
        const bySource = ofSource.indexOf(true) + 1;
        const bySection = passages.findIndex(({ heading }, at) => ofSource[at] && isUnder(heading, asked)) + 1;
        return { ...asked, bySource, bySection };
      }),
    );
    console.log(
      [
        "| question | the answer stands in | rank of the document | rank of the section |",
        "|---|---|---|---|",
        ...rows.map(({ question, sources, heading, bySource, bySection }) => {
          const place = `${sources.map((source) => `\`${source}\``).join(" or ")}${heading === undefined ? "" : `, ${heading}`}`;
          return `| ${question} | ${place} | ${bySource || "–"} | ${heading === undefined ? "" : bySection || "–"} |`;
        }),
      ].join("\n"),
    );
    const among = (rank: number) => rank >= 1 && rank <= 3;
    expect(rows).toHaveLength(10);
    expect(rows.filter(({ bySource }) => among(bySource)).length).toBeGreaterThanOrEqual(9);
    expect(rows.filter(({ bySection }) => among(bySection)).length).toBeGreaterThanOrEqual(8);
  },
);

test.each(["en", "zh"] as const)("answers stand at least as high as with BM25 (%s)", async (language) => {
  const { mrr } = await measure(sets[language].questions, search);
  for (const bm25 of Object.values(openBm25(sets[language]))) {
    expect(mrr).toBeGreaterThanOrEqual((await measure(sets[language].questions, bm25)).mrr);
  }
});

test("every section that a question expects exists", () => {
  const missing = Object.values(sets).flatMap(({ chunks, questions }) =>
    questions.filter(({ isAnsweredBy }) => !chunks.some(isAnsweredBy)),
  );
  expect(missing).toEqual([]);
});
