import { expect, test } from "vitest";
import type { Embedder } from "../model/embedder.ts";
import { createMemoryVectorStore } from "../testing/memory-vector-store.ts";
import { createHybridEmbedder } from "./hybrid-embedder.ts";
import { createLocalEmbedder } from "./local-embedder.ts";
import { searchCollection, textToEmbed } from "./search-collection.ts";
import type { EmbeddedChunk } from "./vector-store.ts";

const COLLECTION = "c";
const { signal } = new AbortController();
/** Embeds every query as the first axis. */
const embedder = { name: "one", embed: async () => [[1, 0]] };

/** The chunk at this position, whose cosine to every query is `score`. */
const chunk = (
  position: number,
  documentId: string,
  version: string,
  score = 1 - position / 10_000,
): EmbeddedChunk => ({
  id: `${documentId}-${version}-${position}`,
  documentId,
  version,
  source: `${documentId}.md`,
  heading: "A › B",
  position,
  content: `content ${position}`,
  embedding: [score, Math.sqrt(1 - score ** 2)],
});

/** Searches a collection of these chunks; returns the passages, and the limits that the store was queried with. */
async function search(
  chunks: readonly EmbeddedChunk[],
  versions: Readonly<Record<string, string>>,
  request: { readonly topK: number; readonly minScore?: number },
) {
  const limits: number[] = [];
  const stored = createMemoryVectorStore();
  await stored.upsert(COLLECTION, chunks, signal);
  const store: typeof stored = {
    ...stored,
    query(collection, embedding, limit, querySignal) {
      limits.push(limit);
      return stored.query(collection, embedding, limit, querySignal);
    },
  };
  const currentVersions = async (ids: readonly string[]) =>
    new Map(Object.entries(versions).filter(([id]) => ids.includes(id)));
  const deps = { store, embedder, currentVersions, isHybrid: false };
  const passages = await searchCollection(deps, COLLECTION, { query: "q", ...request }, signal);
  return { passages, limits };
}

test("passages are the nearest chunks of current versions", async () => {
  const chunks = [chunk(0, "d1", "v1"), chunk(1, "d2", "v1"), chunk(2, "d1", "v1")];
  const { passages, limits } = await search(chunks, { d1: "v1", d2: "v1" }, { topK: 2 });
  expect(passages.map(({ position }) => position)).toEqual([0, 1]);
  expect(passages[0]).toEqual({
    document_id: "d1",
    source: "d1.md",
    heading: "A › B",
    content: "content 0",
    position: 0,
    score: 1,
  });
  expect(limits).toEqual([2]);
});

test("chunks of other versions and deleted documents are skipped, and the query's limit is raised", async () => {
  const outdated = Array.from({ length: 30 }, (_, at) => chunk(at, at % 2 === 0 ? "d1" : "gone", "old"));
  const chunks = [...outdated, chunk(30, "d1", "new"), chunk(31, "d1", "new")];
  const { passages, limits } = await search(chunks, { d1: "new" }, { topK: 2 });
  expect(passages.map(({ position }) => position)).toEqual([30, 31]);
  expect(limits).toEqual([2, 8, 32]);
});

test("a search in a collection of outdated chunks alone ends at the largest limit without a passage", async () => {
  const chunks = Array.from({ length: 5_000 }, (_, at) => chunk(at, "gone", "old"));
  const { passages, limits } = await search(chunks, {}, { topK: 5 });
  expect(passages).toEqual([]);
  expect(limits.at(-1)).toBe(1_000);
});

test("chunks below the minimum score are left out, and the limit of the query is not raised for them", async () => {
  const chunks = [chunk(0, "d1", "v1", 1), chunk(1, "d1", "v1", 0.9), chunk(2, "d1", "v1", 0.4)];
  const { passages, limits } = await search(chunks, { d1: "v1" }, { topK: 3, minScore: 0.85 });
  expect(passages.map(({ score }) => score)).toEqual([1, expect.closeTo(0.9, 9)]);
  expect(limits).toEqual([3]);
});

test("a chunk is embedded with its document's name and its headings", () => {
  expect(textToEmbed({ source: "a.md", heading: "", content: "text" })).toBe("a.md\ntext");
  expect(textToEmbed({ source: "a.md", heading: "A › B", content: "text" })).toBe("a.md\nA › B\ntext");
});

/** An embedding of two dimensions that knows what the first word of a text means. */
const meanings: Readonly<Record<string, readonly number[]>> = { car: [1, 0], automobile: [0.98, 0.2], fruit: [0, 1] };
const knowsMeanings: Embedder = {
  name: "meanings",
  embed: async (texts) => texts.map((text) => [...(meanings[text.split(/\s/)[0] ?? ""] ?? [0.6, 0.8])]),
};

async function searchTexts(
  embedder: Embedder,
  texts: readonly string[],
  query: string,
  { isHybrid = true, minScore = 0, outdated = [] as readonly string[] } = {},
) {
  const store = createMemoryVectorStore();
  const all = [...outdated, ...texts];
  const embeddings = await embedder.embed(all, signal);
  const stored = all.map((content, position) => ({
    ...chunk(position, "d", position < outdated.length ? "old" : "new"),
    ...{ source: "", heading: "", content, embedding: embeddings[position] ?? [] },
  }));
  await store.upsert(COLLECTION, stored, signal);
  const currentVersions = async (ids: readonly string[]) => new Map(ids.map((id) => [id, "new"]));
  const deps = { store, embedder, currentVersions, isHybrid };
  const passages = await searchCollection(deps, COLLECTION, { query, topK: 5, minScore }, signal);
  return passages.map(({ content, score }) => ({ content, score }));
}

const contents = (passages: readonly { readonly content: string }[]) => passages.map(({ content }) => content);

test("a hybrid search finds by rare terms what the vectors alone put behind", async () => {
  const common = Array.from({ length: 40 }, (_, at) => `the engine of model ${at} in this list starts slowly`);
  const texts = [...common, "error E4711 of one engine, which has a long story with many other words around the code"];
  const [first] = await searchTexts(createLocalEmbedder(), texts, "engine model starts slowly with E4711?");
  expect(first?.content).toMatch(/E4711/);
});

test("a hybrid search with an embedding of meanings finds by meaning and by terms", async () => {
  const embedder = createHybridEmbedder(knowsMeanings, createLocalEmbedder());
  const texts = ["automobile repair", "fruit of the season", "invoice 2018-77", "tree"];
  expect(contents(await searchTexts(embedder, texts, "car"))[0]).toBe("automobile repair");
  expect(contents(await searchTexts(embedder, texts, "which invoice is 2018-77"))[0]).toBe("invoice 2018-77");
  expect(contents(await searchTexts(embedder, texts, "car", { isHybrid: false }))[0]).toBe("automobile repair");
});

test("without hybrid search the score is the cosine, also in a collection that has terms beside it", async () => {
  const embedder = createHybridEmbedder(knowsMeanings, createLocalEmbedder());
  const [found] = await searchTexts(embedder, ["automobile"], "car", { isHybrid: false });
  expect(found?.score).toBeCloseTo(0.98 / Math.hypot(0.98, 0.2), 2);
});

test("scores of a hybrid search fall from passage to passage within 0 and 1, and a minimum leaves passages out", async () => {
  const texts = ["apples", "apples and pears", "apples, pears and plums", "nothing of it"];
  const query = "apples pears plums";
  const found = await searchTexts(createLocalEmbedder(), texts, query);
  const scores = found.map(({ score }) => score);
  // The text that has no term of the query is no passage.
  expect(contents(found)).toEqual([texts[2], texts[1], texts[0]]);
  expect(scores).toEqual(scores.toSorted((a, b) => b - a));
  for (const score of scores) expect(score > 0 && score <= 1).toBe(true);
  const [best = 0, second = 0] = scores;
  const minScore = (best + second) / 2;
  expect(await searchTexts(createLocalEmbedder(), texts, query, { minScore })).toEqual(found.slice(0, 1));
});

test("a hybrid search finds current chunks behind hundreds of outdated ones", async () => {
  const outdated = Array.from({ length: 300 }, (_, at) => `plums ${at}`);
  expect(contents(await searchTexts(createLocalEmbedder(), ["plums"], "plums", { outdated }))).toEqual(["plums"]);
});

test("equal scores stand in the order of the chunks' ids, whatever the store's order", async () => {
  const texts = ["plums", "plums", "plums"];
  const one = await searchTexts(createLocalEmbedder(), texts, "plums");
  expect(one).toHaveLength(3);
  expect(await searchTexts(createLocalEmbedder(), texts, "plums")).toEqual(one);
});

test.each(["", "?!", "的", " "])("a hybrid search for %j finds nothing or the same twice", async (query) => {
  const texts = ["plums", "的"];
  const found = await searchTexts(createLocalEmbedder(), texts, query);
  for (const { score } of found) expect(Number.isFinite(score)).toBe(true);
  expect(await searchTexts(createLocalEmbedder(), texts, query)).toEqual(found);
});
