/** What the Chroma store does beyond the contract of vector stores: silence on the console, and servers that fail. */
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createChromaStore } from "@agent-paas/agents/retrieval/chroma-store.ts";
import type { EmbeddedChunk } from "@agent-paas/agents/retrieval/vector-store.ts";
import { expect, onTestFinished, test } from "vitest";
import { startTestChroma } from "../support/chroma.ts";
import { waitFor } from "../support/wait-for.ts";

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

test("vectors of another length than the collection's are refused as another embedding, and not stored", async () => {
  const chroma = await startTestChroma();
  onTestFinished(() => chroma.stop());
  const store = createChromaStore({ url: chroma.url });
  const collection = randomUUID();
  await store.upsert(collection, [CHUNK], signal);
  const mismatch = { name: "PlatformError", code: "embedding_mismatch" };
  const longer = { ...CHUNK, id: "b:1:0", documentId: "b", embedding: [1, 0, 0] };
  await expect(store.upsert(collection, [longer], signal)).rejects.toMatchObject(mismatch);
  await expect(store.query(collection, [1, 0, 0], 1, signal)).rejects.toMatchObject(mismatch);
  expect(await store.query(collection, CHUNK.embedding, 9, signal)).toHaveLength(1);
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

/** A server that is busy: it answers heartbeats at once, and everything else when `answer` is called. */
async function startBusyServer() {
  const waiting: (() => void)[] = [];
  const pinged: true[] = [];
  const busy = createServer((request, response) => {
    const answer = () =>
      response.writeHead(200, { "content-type": "application/json" }).end('{"nanosecond heartbeat":1}');
    if (!request.url?.endsWith("/heartbeat")) {
      waiting.push(answer);
      return;
    }
    pinged.push(true);
    answer();
  });
  await new Promise<void>((resolve) => busy.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    busy.closeAllConnections();
    busy.close();
  });
  return { url: `http://127.0.0.1:${(busy.address() as AddressInfo).port}`, waiting, pinged };
}

test("a write is not given up while Chroma is busy but answers pings", async () => {
  const { url, waiting, pinged } = await startBusyServer();
  const deleting = createChromaStore({ url, requestTimeoutMs: 100 }).deleteCollection("any", signal);
  // Two pings fill the limit of silence.
  await waitFor("five times the limit of silence", () => pinged.length >= 10);
  expect(waiting).toHaveLength(1);
  waiting[0]?.();
  await deleting;
});

test("a write is given up soon when Chroma stops answering pings", async () => {
  let pings = 0;
  const gone = createServer((request, response) => {
    // Only the first ping is answered.
    if (!request.url?.endsWith("/heartbeat")) return;
    pings += 1;
    if (pings === 1) response.writeHead(200, { "content-type": "application/json" }).end('{"nanosecond heartbeat":1}');
  });
  await new Promise<void>((resolve) => gone.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    gone.closeAllConnections();
    gone.close();
  });
  const url = `http://127.0.0.1:${(gone.address() as AddressInfo).port}`;
  const write = createChromaStore({ url, requestTimeoutMs: 200 }).upsert("any", [CHUNK], signal);
  await expect(write).rejects.toEqual(UNAVAILABLE);
  expect(pings).toBe(2);
});
