import { expect, test } from "vitest";
import { createMemoryVectorStore } from "../testing/memory-vector-store.ts";
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
  const deps = { store, embedder, currentVersions };
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
