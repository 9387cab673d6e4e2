/** The vector store on a real Chroma, and on servers that stop answering or do not exist. */
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createChromaStore } from "@agent-paas/agents/retrieval/chroma-store.ts";
import type { EmbeddedChunk } from "@agent-paas/agents/retrieval/vector-store.ts";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import type { Server } from "../../scripts/services/server.ts";
import { startTestChroma } from "../support/chroma.ts";

let chroma: Server;
const newCollection = () => randomUUID();
const { signal } = new AbortController();

beforeAll(async () => {
  chroma = await startTestChroma();
});
afterAll(() => chroma.stop());

/** A vector at this angle to the first axis, so its cosine to the axis is known. */
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

test("chunks are found whole, the nearest first, with their cosine", async () => {
  const store = createChromaStore({ url: chroma.url });
  const collection = newCollection();
  await store.upsert(collection, [chunk("a", "1", 0, 60), chunk("a", "1", 1, 10), chunk("b", "1", 0, 120)], signal);
  const found = await store.query(collection, at(0), 10, signal);
  const { embedding: _, ...nearest } = chunk("a", "1", 1, 10);
  expect(found[0]).toEqual({ ...nearest, score: expect.closeTo(Math.cos(Math.PI / 18), 4) });
  expect(found.map(({ id }) => id)).toEqual(["a:1:1", "a:1:0", "b:1:0"]);
  // A negative cosine is shown as 0.
  expect(found[2]?.score).toBe(0);
  expect(await store.query(collection, at(0), 1, signal)).toHaveLength(1);
});

test("a chunk that is stored again under its id replaces the first", async () => {
  const store = createChromaStore({ url: chroma.url });
  const collection = newCollection();
  for (const degrees of [80, 20]) await store.upsert(collection, [chunk("a", "1", 0, degrees)], signal);
  const found = await store.query(collection, at(0), 10, signal);
  expect(found.map(({ score }) => score)).toEqual([expect.closeTo(Math.cos(Math.PI / 9), 4)]);
});

test("more chunks than one request takes are stored, found and deleted", async () => {
  const store = createChromaStore({ url: chroma.url });
  const collection = newCollection();
  const chunks = Array.from({ length: 350 }, (_, position) => chunk("a", "1", position, position / 4));
  await store.upsert(collection, chunks, signal);
  const found = await store.query(collection, at(0), 350, signal);
  expect(new Set(found.map(({ id }) => id)).size).toBe(350);
  await store.deleteDocument(collection, "a", signal);
  expect(await store.query(collection, at(0), 350, signal)).toEqual([]);
});

test("a document's chunks are deleted, and no other's", async () => {
  const store = createChromaStore({ url: chroma.url });
  const collection = newCollection();
  const ids = async () => (await store.query(collection, at(0), 10, signal)).map(({ id }) => id).sort();
  await store.upsert(collection, [chunk("a", "1", 0, 1), chunk("a", "2", 0, 2), chunk("b", "1", 0, 3)], signal);
  await store.deleteDocument(collection, "a", signal);
  expect(await ids()).toEqual(["b:1:0"]);
  await store.deleteDocument(collection, "a", signal);
  await store.deleteCollection(collection, signal);
  expect(await ids()).toEqual([]);
});

test("a collection that does not exist is empty, and its deletion succeeds", async () => {
  const store = createChromaStore({ url: chroma.url });
  const collection = newCollection();
  expect(await store.query(collection, at(0), 3, signal)).toEqual([]);
  await store.deleteDocument(collection, "a", signal);
  await store.deleteCollection(collection, signal);
});

test("half a surrogate pair is stored as a replacement character", async () => {
  const store = createChromaStore({ url: chroma.url });
  const collection = newCollection();
  await store.upsert(collection, [{ ...chunk("a", "1", 0, 0), content: "x\ud83d" }], signal);
  expect((await store.query(collection, at(0), 1, signal))[0]?.content).toBe("x\ufffd");
});

test("a vector of another size is refused by Chroma", async () => {
  const store = createChromaStore({ url: chroma.url });
  const collection = newCollection();
  await store.upsert(collection, [chunk("a", "1", 0, 0)], signal);
  await expect(store.query(collection, [1, 0, 0], 1, signal)).rejects.toThrow(/dimension/);
});

test("the Chroma package writes nothing to the console", async () => {
  const written: unknown[] = [];
  const { warn, log, error } = console;
  const record = (...words: unknown[]) => written.push(words);
  Object.assign(console, { warn: record, log: record, error: record });
  onTestFinished(() => {
    Object.assign(console, { warn, log, error });
  });
  const store = createChromaStore({ url: chroma.url });
  const collection = newCollection();
  await store.upsert(collection, [chunk("a", "1", 0, 0)], signal);
  await store.query(collection, at(0), 1, signal);
  expect(written).toEqual([]);
});

/** How every call of the store fails. */
async function everyFailure(url: string, bound: AbortSignal, requestTimeoutMs?: number): Promise<unknown[]> {
  const store = createChromaStore({ url, ...(requestTimeoutMs && { requestTimeoutMs }) });
  const calls = await Promise.allSettled([
    store.upsert("any", [chunk("a", "1", 0, 0)], bound),
    store.query("any", at(0), 1, bound),
    store.deleteDocument("any", "a", bound),
    store.deleteCollection("any", bound),
  ]);
  return calls.map((call) => (call.status === "rejected" ? call.reason : call));
}

const UNAVAILABLE = expect.objectContaining({ name: "PlatformError", code: "vector_store_unavailable" });

test("a server that fails and a server that is gone are reported as vector_store_unavailable", async () => {
  const failing = createServer((_, response) => response.writeHead(500).end("no"));
  await new Promise<void>((resolve) => failing.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(failing.address() as AddressInfo).port}`;
  expect(await everyFailure(url, signal)).toEqual(Array(4).fill(UNAVAILABLE));
  await new Promise((resolve) => failing.close(resolve));
  expect(await everyFailure(url, signal)).toEqual(Array(4).fill(UNAVAILABLE));
});

test.each([
  ["never answers", ""],
  ["stops in the middle of its answer", '{"id": '],
])(
  "a server that %s costs the time limit of one request, or the time until the caller aborts",
  async (_, beginning) => {
    const silent = createServer((_, response) => {
      if (beginning !== "") response.writeHead(200, { "content-type": "application/json" }).write(beginning);
    });
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => {
      silent.closeAllConnections();
      silent.close();
    });
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    expect(await everyFailure(url, signal, 100)).toEqual(Array(4).fill(UNAVAILABLE));
    const stop = new AbortController();
    const failures = everyFailure(url, stop.signal);
    const reason = new Error("cancelled");
    stop.abort(reason);
    expect(await failures).toEqual(Array(4).fill(reason));
  },
);
