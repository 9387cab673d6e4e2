import { expect, test } from "vitest";
import { searchCollection, textToEmbed } from "./search-collection.ts";
import type { FoundChunk, VectorStore } from "./vector-store.ts";

const chunk = (at: number, documentId: string, version: string): FoundChunk => ({
  id: `${documentId}-${version}-${at}`,
  documentId,
  version,
  source: `${documentId}.md`,
  heading: "A › B",
  position: at,
  content: `content ${at}`,
  score: 1 - at / 1_000,
});

/** A store with these chunks, nearest first; keeps the limits that it was asked with. */
function storeOf(chunks: readonly FoundChunk[]) {
  const limits: number[] = [];
  const refuse = () => Promise.reject(new Error("not part of a search"));
  const store: VectorStore = {
    upsert: refuse,
    deleteDocument: refuse,
    deleteCollection: refuse,
    async query(_collection, _embedding, limit) {
      limits.push(limit);
      return chunks.slice(0, limit);
    },
  };
  return { store, limits };
}

const embedder = { name: "one", embed: async () => [[1]] };
const signal = new AbortController().signal;
const versionsOf = (versions: Record<string, string>) => async (ids: readonly string[]) =>
  new Map(Object.entries(versions).filter(([id]) => ids.includes(id)));

test("passages are the nearest chunks of current versions", async () => {
  const { store, limits } = storeOf([chunk(0, "d1", "v1"), chunk(1, "d2", "v1"), chunk(2, "d1", "v1")]);
  const currentVersions = versionsOf({ d1: "v1", d2: "v1" });
  const passages = await searchCollection({ store, embedder, currentVersions }, "c", { query: "q", topK: 2 }, signal);
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

test("leftovers of other versions and of deleted documents are passed over, and more is asked for", async () => {
  const leftovers = Array.from({ length: 30 }, (_, at) => chunk(at, at % 2 === 0 ? "d1" : "gone", "old"));
  const { store, limits } = storeOf([...leftovers, chunk(30, "d1", "new"), chunk(31, "d1", "new")]);
  const currentVersions = versionsOf({ d1: "new" });
  const passages = await searchCollection({ store, embedder, currentVersions }, "c", { query: "q", topK: 2 }, signal);
  expect(passages.map(({ position }) => position)).toEqual([30, 31]);
  expect(limits).toEqual([2, 8, 32]);
});

test("a collection of leftovers alone ends the search", async () => {
  const { store, limits } = storeOf(Array.from({ length: 5_000 }, (_, at) => chunk(at, "gone", "old")));
  const currentVersions = versionsOf({});
  const passages = await searchCollection({ store, embedder, currentVersions }, "c", { query: "q", topK: 5 }, signal);
  expect(passages).toEqual([]);
  expect(limits.at(-1)).toBe(1_000);
});

test("what is not near enough is left out, without asking for more", async () => {
  const { store, limits } = storeOf([chunk(0, "d1", "v1"), chunk(100, "d1", "v1"), chunk(600, "d1", "v1")]);
  const currentVersions = versionsOf({ d1: "v1" });
  const request = { query: "q", topK: 3, minScore: 0.9 };
  const passages = await searchCollection({ store, embedder, currentVersions }, "c", request, signal);
  expect(passages.map(({ score }) => score)).toEqual([1, 0.9]);
  expect(limits).toEqual([3]);
});

test("a chunk is embedded with its document's name and its headings", () => {
  expect(textToEmbed({ source: "a.md", heading: "", content: "text" })).toBe("a.md\ntext");
  expect(textToEmbed({ source: "a.md", heading: "A › B", content: "text" })).toBe("a.md\nA › B\ntext");
});
