/** What the Chroma store does beyond the contract of vector stores: silence on the console, and servers that fail. */
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createChromaStore } from "@agent-paas/agents/retrieval/chroma-store.ts";
import type { EmbeddedChunk } from "@agent-paas/agents/retrieval/vector-store.ts";
import { expect, onTestFinished, test } from "vitest";
import { startTestChroma } from "../support/chroma.ts";

const { signal } = new AbortController();

const CHUNK: EmbeddedChunk = {
  ...{ id: "a:1:0", documentId: "a", version: "1", source: "guide.md", heading: "", position: 0, content: "Run it." },
  embedding: [1, 0],
};

test("the chromadb package writes nothing to the console", async () => {
  const chroma = await startTestChroma();
  onTestFinished(() => chroma.stop());
  const written: unknown[] = [];
  const { warn, log, error } = console;
  const listen = (...words: unknown[]) => written.push(words);
  Object.assign(console, { warn: listen, log: listen, error: listen });
  onTestFinished(() => {
    Object.assign(console, { warn, log, error });
  });
  const store = createChromaStore({ url: chroma.url });
  const collection = randomUUID();
  await store.upsert(collection, [CHUNK], signal);
  await store.query(collection, CHUNK.embedding, 1, signal);
  expect(written).toEqual([]);
});

/** How every call of the store fails. */
async function everyFailure(url: string, bound: AbortSignal, requestTimeoutMs?: number): Promise<unknown[]> {
  const store = createChromaStore({ url, ...(requestTimeoutMs && { requestTimeoutMs }) });
  const calls = await Promise.allSettled([
    store.upsert("any", [CHUNK], bound),
    store.query("any", CHUNK.embedding, 1, bound),
    store.deleteDocument("any", "a", bound),
    store.deleteCollection("any", bound),
  ]);
  return calls.map((call) => (call.status === "rejected" ? call.reason : call));
}

const UNAVAILABLE = expect.objectContaining({ name: "PlatformError", code: "vector_store_unavailable" });

test("every call fails with vector_store_unavailable without a server, and when the server fails", async () => {
  const failing = createServer((_, response) => response.writeHead(500).end("no"));
  await new Promise<void>((resolve) => failing.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(failing.address() as AddressInfo).port}`;
  expect(await everyFailure(url, signal)).toEqual(Array(4).fill(UNAVAILABLE));
  await new Promise((resolve) => failing.close(resolve));
  expect(await everyFailure(url, signal)).toEqual(Array(4).fill(UNAVAILABLE));
});

test.each([
  ["never answers", ""],
  ["falls silent in the middle of its answer", '{"id": '],
])(
  "a server that %s delays a call by one request's time limit at most, or until the caller aborts",
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
