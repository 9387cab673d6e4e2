/**
 * Ingests that run at the same time, start over or find their content stored, on a real database, Redis and Chroma.
 * Queries, rows and the vector store are compared in the end.
 */
import type { Embedder } from "@agent-paas/agents/model/embedder.ts";
import { createLocalEmbedder } from "@agent-paas/agents/retrieval/local-embedder.ts";
import type { IngestResult } from "@agent-paas/shared/contract/knowledge.ts";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createKnowledgeJobs } from "../../apps/worker/src/knowledge/knowledge-jobs.ts";
import { createRetrieverFor } from "../../apps/worker/src/knowledge/retriever.ts";
import {
  DOCUMENT_ID,
  finish,
  INGEST_INPUT,
  type KnowledgeJobsTest,
  type KnowledgeServices,
  longText,
  OWNER,
  openKnowledgeJobs,
  reader,
  SOURCE,
  startKnowledgeServices,
} from "../support/knowledge-jobs.ts";

let services: KnowledgeServices;
let knowledge: KnowledgeJobsTest;
beforeAll(async () => {
  services = await startKnowledgeServices();
});
beforeEach(async () => {
  knowledge = await openKnowledgeJobs(services);
});
afterAll(() => services.stop());

test("a document is invisible until its ingest is complete, and the ingest reports progress", async () => {
  const run = await knowledge.beginHalf(longText("alpha"));
  expect(await knowledge.stored(await knowledge.collectionId())).toBeGreaterThan(0);
  expect(await knowledge.found("alpha")).toEqual([]);
  expect(await knowledge.db("documents")).toEqual([]);

  const result = await finish(run);
  expect(result).toEqual({
    ...{ document_id: DOCUMENT_ID, source: SOURCE, chunks: 150, embedding: createLocalEmbedder().name },
    ...{ unchanged: false, superseded: false },
  });
  expect(run.events.at(-1)).toMatchObject({ data: { type: "progress", progress: 1 } });
  await knowledge.expectStored("alpha", 150);
});

test("an ingest of unchanged content stores and embeds nothing, and keeps the new metadata", async () => {
  await knowledge.ingest(longText("alpha"));
  const before = await knowledge.db("documents").first();
  const embedder: Embedder = {
    name: createLocalEmbedder().name,
    embed: () => Promise.reject(new Error("embed was called")),
  };
  const run = await knowledge.beginIngest(longText("alpha"), { jobs: knowledge.jobsWith(embedder) });
  expect(await finish(run)).toMatchObject({ unchanged: true, chunks: 150 });
  expect(await knowledge.db("documents").first()).toEqual({ ...before, job_id: run.jobId });
  await knowledge.expectStored("alpha", 150);
});

test("an ingest of new content replaces the old, which is deleted from the vector store", async () => {
  await knowledge.ingest(longText("alpha"));
  const { created_at } = await knowledge.db("documents").first();
  expect(await knowledge.ingest("# Beta\n\nOnly beta now.")).toMatchObject({ unchanged: false, chunks: 1 });
  await knowledge.expectStored("beta", 1);
  expect(await knowledge.db("documents")).toMatchObject([{ created_at, chunks: 1 }]);
});

test("chunks of a copy that is replaced before they are read are no document", async () => {
  await knowledge.ingest(longText("alpha", 20));
  const { copy_id, collection_id, chunks: total } = await knowledge.db("documents").first();
  const document = { document_id: DOCUMENT_ID, source: SOURCE, total };
  const read = () =>
    finish(knowledge.begin("knowledge.query", { collection_id, copy_id, document, from: total - 2, limit: 5 }));
  expect(await read()).toMatchObject({ total, chunks: [{ position: total - 2 }, { position: total - 1 }] });
  await knowledge.ingest("# Beta\n\nOnly beta now.");
  await expect(read()).rejects.toMatchObject({ code: "document_not_found" });
});

test("of two ingests at once the one accepted later is kept, whichever ends first", async () => {
  for (const laterFirst of [true, false]) {
    const earlier = await knowledge.beginHalf(longText("alpha"));
    const later = await knowledge.beginHalf(longText("beta"));
    const [first, second] = laterFirst ? [later, earlier] : [earlier, later];
    await finish(first);
    await finish(second);
    await knowledge.expectStored("beta", 150);
    await knowledge.deleteDocument();
  }
});

test("five ingests at once with equal content store it once", async () => {
  const runs = await Promise.all(Array.from({ length: 5 }, () => knowledge.beginIngest(longText("alpha", 20))));
  const results = (await Promise.all(runs.map(finish))) as IngestResult[];
  expect(results.some(({ unchanged }) => !unchanged)).toBe(true);
  await knowledge.ingest(longText("alpha", 20));
  await knowledge.expectStored("alpha", 20);
});

test("an ingest that starts over stores its chunks once, also when its first attempt resumes", async () => {
  const broken = await knowledge.beginHalf(longText("alpha"));
  const again = await knowledge.beginIngest(longText("alpha"), { jobId: broken.jobId });
  await finish(again);
  // The first attempt was only paused and goes on.
  await finish(broken);
  await knowledge.expectStored("alpha", 150);
});

test("an ingest that ended but whose end was not written returns its result again, without its upload", async () => {
  const run = await knowledge.beginIngest(longText("alpha"));
  const first = await finish(run);
  await services.redis.del(services.keys.upload(run.jobId));
  expect(await finish(knowledge.begin("knowledge.ingest", INGEST_INPUT, { jobId: run.jobId }))).toEqual(first);
  await knowledge.expectStored("alpha", 150);
});

test("an ingest whose generator is closed early can start over", async () => {
  const broken = await knowledge.beginHalf(longText("alpha"));
  await broken.generator.return(undefined);
  await finish(knowledge.begin("knowledge.ingest", INGEST_INPUT, { jobId: broken.jobId }));
  await knowledge.expectStored("alpha", 150);
});

test("a collection refuses another embedding for ingests and queries, and stores nothing", async () => {
  await knowledge.ingest(longText("alpha"));
  const other: Embedder = { ...createLocalEmbedder(), name: "another" };
  const run = await knowledge.beginIngest(longText("beta"), { jobs: knowledge.jobsWith(other) });
  await expect(finish(run)).rejects.toMatchObject({ code: "embedding_mismatch" });
  const input = { collection: "docs", query: "alpha", top_k: 5, min_score: 0 };
  const query = knowledge.begin("knowledge.query", input, { jobs: knowledge.jobsWith(other) });
  await expect(finish(query)).rejects.toMatchObject({ code: "embedding_mismatch" });
  await knowledge.expectStored("alpha", 150);
});

test("a collection made by another form of the same embedding is found and added to, and keeps its name", async () => {
  const former: Embedder = { ...createLocalEmbedder(), name: "local-hash-2048-v1" };
  const made = await knowledge.beginIngest(longText("alpha"), { jobs: knowledge.jobsWith(former) });
  expect(await finish(made)).toMatchObject({ embedding: "local-hash-2048-v1" });
  expect(await finish(await knowledge.beginIngest(longText("beta")))).toMatchObject({
    embedding: "local-hash-2048-v1",
  });
  expect((await knowledge.found("beta")).length).toBeGreaterThan(0);
  await knowledge.expectStored("beta", 150);
  const input = { collection: "docs", query: "beta", top_k: 5, min_score: 0 };
  expect(await finish(knowledge.begin("knowledge.query", input))).toMatchObject({ embedding: "local-hash-2048-v1" });
});

test("an ingest without its upload is invalid, and every job without a vector store fails", async () => {
  await expect(finish(knowledge.begin("knowledge.ingest", INGEST_INPUT))).rejects.toMatchObject({
    code: "job_invalid",
  });
  const embedder = createLocalEmbedder();
  const { documents } = knowledge;
  const jobs = createKnowledgeJobs({ documents, store: null, embedder, uploads: services.uploads, reader });
  expect(() => knowledge.begin("knowledge.ingest", INGEST_INPUT, { jobs })).toThrow("CHROMA_URL");
  const search = createRetrieverFor({ documents, store: null, embedder })(OWNER).search;
  await expect(search({ collection: "docs", query: "x", topK: 1 }, AbortSignal.timeout(1_000))).rejects.toMatchObject({
    code: "vector_store_unavailable",
  });
});

/** The local embedder, and how many texts it has embedded. */
function countingEmbedder() {
  const local = createLocalEmbedder();
  const counted = { embedded: 0 };
  const embedder: Embedder = {
    name: local.name,
    embed(texts, signal) {
      counted.embedded += texts.length;
      return local.embed(texts, signal);
    },
  };
  return { counted, embedder };
}

test("a later attempt of an ingest goes on from the batch that was reached", async () => {
  const half = await knowledge.beginHalf(longText("alpha"));
  const reached = await knowledge.stored(await knowledge.collectionId());
  expect(reached).toBeGreaterThan(0);
  const { counted, embedder } = countingEmbedder();
  const again = await knowledge.beginIngest(longText("alpha"), {
    jobId: half.jobId,
    jobs: knowledge.jobsWith(embedder),
  });
  expect(await finish(again)).toMatchObject({ chunks: 150, unchanged: false });
  expect(counted.embedded).toBe(150 - reached);
  expect(again.events[0]).toMatchObject({ data: { type: "progress", progress: reached / 150 } });
  await knowledge.expectStored("alpha", 150);
});

test("a later attempt that cuts the document differently than the one before leaves nothing of it", async () => {
  const half = await knowledge.beginHalf(longText("alpha"));
  await services.redis.set(services.keys.upload(half.jobId), longText("beta", 20));
  const again = knowledge.begin("knowledge.ingest", INGEST_INPUT, { jobId: half.jobId });
  expect(await finish(again)).toMatchObject({ chunks: 20 });
  await knowledge.expectStored("beta", 20);
});

test("a passage that a document repeats is stored once", async () => {
  const { chunks } = await knowledge.ingest("y".repeat(200_000));
  expect(chunks).toBeGreaterThan(100);
  expect(await knowledge.stored(await knowledge.collectionId())).toBeLessThan(5);
  expect(await knowledge.db("documents").first()).toMatchObject({ chunks, bytes: 200_000 });
  expect((await knowledge.found("y".repeat(1_000))).length).toBeLessThan(5);
});
