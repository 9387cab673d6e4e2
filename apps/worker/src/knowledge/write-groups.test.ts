import type { EmbeddedChunk, VectorStore } from "@agent-paas/agents/retrieval/vector-store.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { expect, test } from "vitest";
import { createLocalTurns } from "./store-turns.ts";
import { createWriteGroups } from "./write-groups.ts";

const TURN = { owner: "alice", collectionId: "1" };
const { signal } = new AbortController();

const chunksOf = (id: string, count = 1): EmbeddedChunk[] =>
  Array.from({ length: count }, (_, position) => ({
    ...{ id: `${id}:${position}`, documentId: id, version: "1", source: id, heading: "", position, content: id },
    embedding: [1],
  }));

/** Notes the documents of every write; a write waits for `released`, and one with the chunk of `bad` fails. */
function createStore(released: Promise<void> = Promise.resolve(), bad?: { id: string; error: Error }) {
  const writes: string[][] = [];
  const upsert: VectorStore["upsert"] = async (_collection, chunks) => {
    writes.push([...new Set(chunks.map(({ documentId }) => documentId))]);
    await released;
    if (bad !== undefined && chunks.some(({ documentId }) => documentId === bad.id)) throw bad.error;
  };
  return { writes, store: { upsert } as unknown as VectorStore };
}

test("documents that wait for one collection are written together, up to a limit of chunks", async () => {
  const { promise: released, resolve } = Promise.withResolvers<void>();
  const { writes, store } = createStore(released);
  const groups = createWriteGroups(createLocalTurns());
  const first = groups.write(store, TURN, signal, chunksOf("first"));
  await expect.poll(() => writes.length).toBe(1);
  const others = [groups.write(store, TURN, signal, chunksOf("large", 63))];
  for (const id of ["a", "b", "c"]) others.push(groups.write(store, TURN, signal, chunksOf(id)));
  resolve();
  await Promise.all([first, ...others]);
  expect(writes).toEqual([["first"], ["large", "a"], ["b", "c"]]);
});

test("a document that is cancelled while it waits is not written, and does not take the others along", async () => {
  const { promise: released, resolve } = Promise.withResolvers<void>();
  const { writes, store } = createStore(released);
  const groups = createWriteGroups(createLocalTurns());
  const first = groups.write(store, TURN, signal, chunksOf("first"));
  await expect.poll(() => writes.length).toBe(1);
  const cancel = new AbortController();
  const cancelled = groups.write(store, TURN, cancel.signal, chunksOf("cancelled"));
  const kept = groups.write(store, TURN, signal, chunksOf("kept"));
  cancel.abort(new Error("cancelled"));
  await expect(cancelled).rejects.toThrow("cancelled");
  resolve();
  await Promise.all([first, kept]);
  expect(writes).toEqual([["first"], ["kept"]]);
});

test("a document that the store refuses fails alone; a store that is away fails all that were written together", async () => {
  for (const error of [new Error("refused"), new PlatformError("vector_store_unavailable")]) {
    const { promise: released, resolve } = Promise.withResolvers<void>();
    const { writes, store } = createStore(released, { id: "bad", error });
    const groups = createWriteGroups(createLocalTurns());
    const first = groups.write(store, TURN, signal, chunksOf("first"));
    await expect.poll(() => writes.length).toBe(1);
    const both = ["good", "bad"].map((id) => groups.write(store, TURN, signal, chunksOf(id)));
    resolve();
    await first;
    const outcomes = (await Promise.allSettled(both)).map(({ status }) => status);
    expect(outcomes).toEqual([error instanceof PlatformError ? "rejected" : "fulfilled", "rejected"]);
  }
});
