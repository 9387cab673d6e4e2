/**
 * Questions that users would ask about the project's own documents, with the local embedding, on a real Chroma. Prints
 * the table that the README shows.
 */
import { basename } from "node:path";
import { createChromaStore } from "@agent-paas/agents/retrieval/chroma-store.ts";
import { chunkDocument } from "@agent-paas/agents/retrieval/chunk-document.ts";
import { createLocalEmbedder } from "@agent-paas/agents/retrieval/local-embedder.ts";
import type { Passage } from "@agent-paas/agents/retrieval/retriever.ts";
import { searchCollection, textToEmbed } from "@agent-paas/agents/retrieval/search-collection.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Server } from "../../scripts/services/server.ts";
import { CORPUS, type CorpusQuestion, QUESTIONS } from "../fixtures/corpus-questions.ts";
import { startTestChroma } from "../support/chroma.ts";
import { readText } from "../support/sources.ts";

const COLLECTION = "corpus";
const VERSION = "1";
const embedder = createLocalEmbedder();
const { signal } = new AbortController();

let chroma: Server;
let search: (query: string) => Promise<Passage[]>;
const headings: { readonly source: string; readonly heading: string }[] = [];

beforeAll(async () => {
  chroma = await startTestChroma();
  const store = createChromaStore({ url: chroma.url });
  for (const source of CORPUS) {
    const chunks = await chunkDocument(
      withoutQuestions(readText(source)),
      source.endsWith(".md") ? "markdown" : "text",
    );
    headings.push(...chunks.map(({ heading }) => ({ source, heading })));
    // Users upload a document under its name without its folder.
    const named = chunks.map((chunk) => ({ ...chunk, source: basename(source) }));
    const embeddings = await embedder.embed(named.map(textToEmbed), signal);
    const stored = named.map((chunk, at) => ({
      ...chunk,
      id: `${source}:${chunk.position}`,
      documentId: source,
      version: VERSION,
      embedding: embeddings[at] ?? [],
    }));
    await store.upsert(COLLECTION, stored, signal);
  }
  const currentVersions = async (ids: readonly string[]) => new Map(ids.map((id) => [id, VERSION]));
  search = (query) => searchCollection({ store, embedder, currentVersions }, COLLECTION, { query, topK: 10 }, signal);
});
afterAll(() => chroma.stop());

/** The READMEs quote the questions, and these lines would be found first. */
function withoutQuestions(text: string): string {
  const asked = Object.values(QUESTIONS).flatMap((questions) => questions.map(({ question }) => question));
  return text
    .split("\n")
    .filter((line) => !asked.some((question) => line.includes(question)))
    .join("\n");
}

const isUnder = (heading: string, { heading: wanted = "" }: CorpusQuestion) => heading.includes(wanted);

test.each(["en", "zh"] as const)(
  "the right document is among the first three for nine of ten questions (%s)",
  async (language) => {
    const rows = await Promise.all(
      QUESTIONS[language].map(async (asked) => {
        const passages = await search(asked.question);
        const ofSource = passages.map(({ document_id }) => asked.sources.includes(document_id));
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

test("every section that a question expects exists", () => {
  const missing = [...QUESTIONS.en, ...QUESTIONS.zh].filter(
    (asked) => !headings.some(({ source, heading }) => asked.sources.includes(source) && isUnder(heading, asked)),
  );
  expect(missing).toEqual([]);
});
