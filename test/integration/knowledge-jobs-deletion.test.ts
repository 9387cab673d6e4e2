/**
 * Deletions of documents and collections while ingests run, and copies that no document refers to: what is deleted does
 * not come back, on a real database, Redis and Chroma.
 */
import type { Embedder } from "@agent-paas/agents/model/embedder.ts";
import { createLocalEmbedder } from "@agent-paas/agents/retrieval/local-embedder.ts";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import {
  DOCUMENT_ID,
  finish,
  INGEST_INPUT,
  type KnowledgeJobsTest,
  type KnowledgeServices,
  longText,
  OWNER,
  openKnowledgeJobs,
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

test("a document deleted during its ingest does not come back", async () => {
  await knowledge.ingest(longText("alpha"));
  const run = await knowledge.beginHalf(longText("beta"));
  await knowledge.deleteDocument();
  await expect(finish(run)).rejects.toMatchObject({ code: "document_not_found" });
  expect(await knowledge.found("beta")).toEqual([]);
  expect(await knowledge.stored(await knowledge.collectionId())).toBe(0);
  expect([await knowledge.db("documents"), await knowledge.db("unreferenced_copies")]).toEqual([[], []]);
});

test("a deletion that starts over spares what was stored after its first attempt", async () => {
  await knowledge.ingest(longText("alpha"));
  const away = knowledge.jobsWith(createLocalEmbedder(), "http://127.0.0.1:1");
  const input = { collection_id: await knowledge.collectionId(), document_id: DOCUMENT_ID };
  const deletion = knowledge.begin("knowledge.delete_document", input, { jobs: away });
  await expect(finish(deletion)).rejects.toMatchObject({ code: "vector_store_unavailable" });
  expect(await knowledge.db("documents")).toEqual([]);

  await knowledge.ingest(longText("beta"));
  await finish(knowledge.begin("knowledge.delete_document", input, { jobId: deletion.jobId }));
  await knowledge.expectStored("beta", 150);
});

test("a collection deleted between two attempts of an ingest does not come back", async () => {
  const broken = await knowledge.beginHalf(longText("alpha"));
  await finish(knowledge.begin("knowledge.delete_collection", { collection_id: await knowledge.collectionId() }));
  const again = knowledge.begin("knowledge.ingest", INGEST_INPUT, { jobId: broken.jobId });
  await expect(finish(again)).rejects.toMatchObject({ code: "collection_not_found" });
  expect([await knowledge.db("collections"), await knowledge.db("documents")]).toEqual([[], []]);
});

test("no part of a collection deleted during an ingest comes back", async () => {
  const run = await knowledge.beginHalf(longText("alpha"));
  const id = await knowledge.collectionId();
  await finish(knowledge.begin("knowledge.delete_collection", { collection_id: id }));
  await expect(finish(run)).rejects.toMatchObject({ code: "collection_not_found" });
  expect([
    await knowledge.db("collections"),
    await knowledge.db("documents"),
    await knowledge.db("unreferenced_copies"),
  ]).toEqual([[], [], []]);
  expect(await knowledge.stored(id)).toBe(0);
});

test("a collection created again under a deleted name is a new collection", async () => {
  await knowledge.ingest(longText("alpha"));
  const id = await knowledge.collectionId();
  await finish(knowledge.begin("knowledge.delete_collection", { collection_id: id }));
  await knowledge.ingest(longText("beta"));
  expect(await knowledge.collectionId()).not.toBe(id);
  await knowledge.expectStored("beta", 150);
});

test("an ingest that fails for good deletes the chunks that it had stored", async () => {
  let calls = 0;
  const local = createLocalEmbedder();
  const embed: Embedder["embed"] = (texts, signal) => {
    calls += 1;
    return calls < 3 ? local.embed(texts, signal) : Promise.reject(new Error("out of order"));
  };
  const run = await knowledge.beginIngest(longText("alpha"), { jobs: knowledge.jobsWith({ name: local.name, embed }) });
  await expect(finish(run)).rejects.toThrow("out of order");
  expect(await knowledge.stored(await knowledge.collectionId())).toBe(0);
  expect(await knowledge.db("unreferenced_copies")).toEqual([]);
});

test("the unreferenced copy of an ended job is deleted by the next job of its collection", async () => {
  const left = await knowledge.beginHalf(longText("alpha"));
  const row = { id: left.jobId, owner: OWNER, kind: "execute", agent_type: "knowledge.ingest", task: "", worker: "" };
  await knowledge.db("agent_logs").insert({
    ...row,
    ...{ status: "failed", fencing_token: 1, attempts: 1, created_at: "", started_at: "" },
  });
  await knowledge.ingest(longText("beta"));
  await knowledge.expectStored("beta", 150);
});
