/** What every vector store promises, as tests over a factory of stores. */
import { randomUUID } from "node:crypto";
import type { EmbeddedChunk, VectorStore } from "@agent-paas/agents/retrieval/vector-store.ts";
import { describe, expect, test } from "vitest";

const { signal } = new AbortController();

/** A vector at this angle to the first axis, so that its cosine to the axis is known. */
const at = (degrees: number) => [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];

const chunk = (documentId: string, version: string, position: number, degrees: number): EmbeddedChunk => ({
  id: `${documentId}:${version}:${position}`,
  documentId,
  version,
  source: "指南.md",
  heading: position === 0 ? "" : "启动 › 安装",
  position,
  content: `第 ${position} 段\nof ${documentId}`,
  embedding: at(degrees),
});

export function vectorStoreContract(implementation: string, openStore: () => VectorStore): void {
  const open = () => ({ store: openStore(), collection: randomUUID() });

  describe(`the contract of vector stores: ${implementation}`, () => {
    test("chunks are found whole, the nearest first, with their cosine as the score", async () => {
      const { store, collection } = open();
      await store.upsert(collection, [chunk("a", "1", 0, 60), chunk("a", "1", 1, 10), chunk("b", "1", 0, 120)], signal);
      const found = await store.query(collection, at(0), 10, signal);
      const { embedding: _, ...nearest } = chunk("a", "1", 1, 10);
      expect(found[0]).toEqual({ ...nearest, score: expect.closeTo(Math.cos(Math.PI / 18), 4) });
      expect(found.map(({ id }) => id)).toEqual(["a:1:1", "a:1:0", "b:1:0"]);
      expect(await store.query(collection, at(0), 1, signal)).toHaveLength(1);
    });

    test("a chunk in the opposite direction of the query has the score 0", async () => {
      const { store, collection } = open();
      await store.upsert(collection, [chunk("a", "1", 0, 120)], signal);
      expect((await store.query(collection, at(0), 1, signal))[0]?.score).toBe(0);
    });

    test("a chunk that is stored again replaces the chunk of the same id", async () => {
      const { store, collection } = open();
      for (const degrees of [80, 20]) await store.upsert(collection, [chunk("a", "1", 0, degrees)], signal);
      const found = await store.query(collection, at(0), 10, signal);
      expect(found.map(({ score }) => score)).toEqual([expect.closeTo(Math.cos(Math.PI / 9), 4)]);
    });

    test("hundreds of chunks in one call are stored, found and deleted", async () => {
      const { store, collection } = open();
      const chunks = Array.from({ length: 350 }, (_, position) => chunk("a", "1", position, position / 4));
      await store.upsert(collection, chunks, signal);
      const found = await store.query(collection, at(0), 350, signal);
      expect(new Set(found.map(({ id }) => id)).size).toBe(350);
      await store.deleteDocument(collection, "a", signal);
      expect(await store.query(collection, at(0), 350, signal)).toEqual([]);
    });

    test("the chunks of one document are read from a position on, in their order", async () => {
      const { store, collection } = open();
      const chunks = [5, 3, 4, 0, 1, 2].map((position) => chunk("a", "1", position, position));
      await store.upsert(collection, [...chunks, chunk("b", "1", 3, 40)], signal);
      const { embedding: _, ...third } = chunk("a", "1", 3, 3);
      const found = await store.chunksFrom(collection, "a", { from: 3, limit: 2 }, signal);
      expect([found[0], found.map(({ id }) => id)]).toEqual([third, ["a:1:3", "a:1:4"]]);
      expect(await store.chunksFrom(collection, "a", { from: 6, limit: 2 }, signal)).toEqual([]);
      expect(await store.chunksFrom(randomUUID(), "a", { from: 0, limit: 2 }, signal)).toEqual([]);
    });

    test("the stored chunks of one document are known by their ids with their contents, and are deleted in batches", async () => {
      const { store, collection } = open();
      expect(await store.storedChunks(collection, "a", signal)).toEqual(new Map());
      const chunks = Array.from({ length: 150 }, (_, position) => chunk("a", "1", position, position / 4));
      await store.upsert(collection, [...chunks, chunk("b", "1", 0, 3)], signal);
      expect(await store.storedChunks(collection, "a", signal)).toEqual(
        new Map(chunks.map(({ id, content }) => [id, content])),
      );
      while (await store.deleteBatch(collection, "a", signal));
      expect(await store.storedChunks(collection, "a", signal)).toEqual(new Map());
      expect([...(await store.storedChunks(collection, "b", signal)).keys()]).toEqual(["b:1:0"]);
      expect(await store.deleteBatch(collection, "none", signal)).toBe(false);
    });

    test("deleting a document deletes the chunks of all its versions and of no other document", async () => {
      const { store, collection } = open();
      await store.upsert(collection, [chunk("a", "1", 0, 1), chunk("a", "2", 0, 2), chunk("b", "1", 0, 3)], signal);
      await store.deleteDocument(collection, "a", signal);
      expect((await store.query(collection, at(0), 10, signal)).map(({ id }) => id)).toEqual(["b:1:0"]);
      await store.deleteDocument(collection, "a", signal);
    });

    test("two collections share no chunks, and deleting one leaves the other", async () => {
      const { store, collection } = open();
      const other = randomUUID();
      await store.upsert(collection, [chunk("a", "1", 0, 1)], signal);
      await store.upsert(other, [chunk("a", "1", 0, 2), chunk("b", "1", 0, 3)], signal);
      await store.deleteDocument(other, "a", signal);
      expect(await store.query(collection, at(0), 10, signal)).toHaveLength(1);
      await store.deleteCollection(collection, signal);
      expect(await store.query(collection, at(0), 10, signal)).toEqual([]);
      expect((await store.query(other, at(0), 10, signal)).map(({ id }) => id)).toEqual(["b:1:0"]);
    });

    test("a missing collection has no chunks, and deleting from it succeeds", async () => {
      const { store, collection } = open();
      expect(await store.query(collection, at(0), 3, signal)).toEqual([]);
      await store.deleteDocument(collection, "a", signal);
      await store.deleteCollection(collection, signal);
    });

    test("a deleted collection can be filled again, also with embeddings of another size", async () => {
      const { store, collection } = open();
      await store.upsert(collection, [chunk("a", "1", 0, 0)], signal);
      await store.deleteCollection(collection, signal);
      await store.upsert(collection, [{ ...chunk("b", "1", 0, 0), embedding: [0, 0, 1] }], signal);
      expect((await store.query(collection, [0, 0, 1], 10, signal)).map(({ id }) => id)).toEqual(["b:1:0"]);
    });

    test("half a surrogate pair in a text is stored as a replacement character", async () => {
      const { store, collection } = open();
      const half = { content: "x\ud83d", source: "y\ud83d", heading: "\udc00z" };
      await store.upsert(collection, [{ ...chunk("a", "1", 0, 0), ...half }], signal);
      expect((await store.query(collection, at(0), 1, signal))[0]).toMatchObject({
        ...{ content: "x\ufffd", source: "y\ufffd", heading: "\ufffdz" },
      });
    });

    test("an embedding of another size is refused with an error that is not retryable", async () => {
      const { store, collection } = open();
      await store.upsert(collection, [chunk("a", "1", 0, 0)], signal);
      const wrong = { ...chunk("b", "1", 0, 0), embedding: [1, 0, 0] };
      const calls = [
        () => store.query(collection, [1, 0, 0], 1, signal),
        () => store.upsert(collection, [wrong], signal),
      ];
      for (const call of calls) {
        const error = await Promise.resolve<unknown>(call()).then(
          () => null,
          (thrown: unknown) => thrown,
        );
        expect(error).toMatchObject({ code: "embedding_mismatch", retryable: false });
      }
    });

    test("every call rejects with the reason of an aborted signal", async () => {
      const { store, collection } = open();
      const reason = new Error("cancelled");
      const aborted = AbortSignal.abort(reason);
      const calls = await Promise.allSettled([
        store.upsert(collection, [chunk("a", "1", 0, 0)], aborted),
        store.query(collection, at(0), 1, aborted),
        store.storedChunks(collection, "a", aborted),
        store.deleteBatch(collection, "a", aborted),
        store.deleteDocument(collection, "a", aborted),
        store.deleteCollection(collection, aborted),
      ]);
      expect(calls).toEqual(Array(6).fill({ status: "rejected", reason }));
    });
  });
}
