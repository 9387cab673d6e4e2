/**
 * Knowledge tasks that meet each other, on a real database, Redis and Chroma. A task is a generator, so a test holds one
 * between two batches, lets another run, and looks at what queries, rows and the vector store have in the end.
 */
import { randomUUID } from "node:crypto";
import type { AgentEvent, AgentRun } from "@agent-paas/agents/agent/agent.ts";
import type { Embedder } from "@agent-paas/agents/model/embedder.ts";
import { createChromaStore } from "@agent-paas/agents/retrieval/chroma-store.ts";
import { createLocalEmbedder } from "@agent-paas/agents/retrieval/local-embedder.ts";
import type { Passage } from "@agent-paas/agents/retrieval/retriever.ts";
import { createJournalStore, createMemoryJournal, type JournalStore } from "@agent-paas/agents/testing";
import type { JobPayload } from "@agent-paas/shared/contract/jobs.ts";
import { documentIdOf, type IngestResult, type KnowledgeJobId } from "@agent-paas/shared/contract/knowledge.ts";
import { newId } from "@agent-paas/shared/ids.ts";
import { createRedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { Redis } from "ioredis";
import type { Knex } from "knex";
import { pino } from "pino";
import { afterAll, beforeAll, beforeEach, expect, inject, test } from "vitest";
import { createKnowledgeJobs } from "../../apps/worker/src/knowledge/knowledge-jobs.ts";
import { createRetrieverFor } from "../../apps/worker/src/knowledge/retriever.ts";
import { createUploads, type Uploads } from "../../apps/worker/src/knowledge/uploads.ts";
import { createKnowledgeRepository } from "../../apps/worker/src/storage/knowledge-repository.ts";
import type { Server } from "../../scripts/services/server.ts";
import { startTestChroma } from "../support/chroma.ts";
import { openTestDatabase } from "../support/test-database.ts";

const OWNER = "alice";
const SOURCE = "guide.md";
const logger = pino({ level: "silent" });
const keys = createRedisKeys(`t${randomUUID().slice(0, 8)}`);

let chroma: Server;
let redis: Redis;
let uploads: Uploads;
beforeAll(async () => {
  redis = new Redis(inject("redisUrl"));
  uploads = createUploads(redis, keys, logger);
  chroma = await startTestChroma();
});
afterAll(async () => {
  redis.disconnect();
  await chroma.stop();
});

let db: Knex;
let documents: ReturnType<typeof createKnowledgeRepository>;
beforeEach(async () => {
  ({ db } = await openTestDatabase());
  documents = createKnowledgeRepository(db);
});

function tasksWith(embedder: Embedder = createLocalEmbedder(), url = chroma.url) {
  const store = createChromaStore({ url });
  return createKnowledgeJobs({ documents, store, embedder, uploads });
}

/** Three batches of chunks, each with the word. */
const longText = (word: string, sections = 150) =>
  Array.from({ length: sections }, (_, at) => `# Section ${at}\n\nHere ${word} is told of, for the ${at}th time.`).join(
    "\n\n",
  );

/** What earlier attempts of a job have left is there for the next. */
const journals = new Map<string, JournalStore>();
function journalOf(jobId: string) {
  const left = journals.get(jobId) ?? createJournalStore();
  journals.set(jobId, left);
  return createMemoryJournal(left);
}

type Run = {
  readonly jobId: string;
  readonly events: AgentEvent[];
  readonly generator: AgentRun;
  abort: (reason: Error) => void;
};

function begin(task: KnowledgeJobId, input: object, { jobId = newId(), tasks = tasksWith() } = {}): Run {
  const payload: JobPayload = {
    ...{ job_id: jobId, kind: "execute", owner: OWNER, agent_type: task, session_id: null, text: "", input },
    ...{ config: {}, limits: {}, metadata: {}, locale: "en", request_id: "", accepted_at: new Date().toISOString() },
  };
  const controller = new AbortController();
  const run = tasks.get(task);
  if (run === undefined) throw new Error(task);
  const generator = run(payload, { signal: controller.signal, journal: journalOf(jobId), logger });
  return { jobId, events: [], generator, abort: (reason) => controller.abort(reason) };
}

async function finish({ generator, events }: Run): Promise<unknown> {
  for (;;) {
    const step = await generator.next();
    if (step.done) return step.value?.data;
    events.push(step.value);
  }
}

/** An ingest that has stored its first batch and is about to store the next. */
async function beginHalf(
  text: string,
  more: { jobId?: string; tasks?: ReturnType<typeof tasksWith> } = {},
): Promise<Run> {
  const run = await beginIngest(text, more);
  await run.generator.next();
  await run.generator.next();
  return run;
}

async function beginIngest(text: string, more: { jobId?: string; tasks?: ReturnType<typeof tasksWith> } = {}) {
  const jobId = more.jobId ?? newId();
  await redis.set(keys.upload(jobId), text);
  return begin("knowledge.ingest", ingestInput, { ...more, jobId });
}

const documentId = documentIdOf(OWNER, "docs", SOURCE);
const ingestInput = { collection: "docs", document_id: documentId, source: SOURCE, format: "markdown", metadata: {} };
const ingest = async (text: string) => (await finish(await beginIngest(text))) as IngestResult;
const collectionId = async () => (await documents.findCollection(OWNER, "docs"))?.id ?? "";
const deleteDocument = async () =>
  finish(begin("knowledge.delete_document", { collection_id: await collectionId(), document_id: documentId }));

async function found(query: string): Promise<readonly Passage[]> {
  const retriever = createRetrieverFor({
    documents,
    store: createChromaStore({ url: chroma.url }),
    embedder: createLocalEmbedder(),
  })(OWNER);
  return retriever.search({ collection: "docs", query, topK: 5 }, AbortSignal.timeout(10_000));
}

/** How many chunks the store holds for a collection, asked past the product. */
async function stored(id: string): Promise<number> {
  const collections = `${chroma.url}/api/v2/tenants/default_tenant/databases/default_database/collections`;
  const collection = await fetch(`${collections}/${id}`);
  if (collection.status === 404) return 0;
  const inChroma = (await collection.json()) as { id: string };
  return Number(await (await fetch(`${collections}/${inChroma.id}/count`)).text());
}

async function expectStored(word: string, chunks: number): Promise<void> {
  const passages = await found(word);
  expect(passages.length).toBe(Math.min(5, chunks));
  expect(new Set(passages.map(({ document_id }) => document_id))).toEqual(new Set([documentId]));
  expect(new Set(passages.map(({ position }) => position)).size).toBe(passages.length);
  for (const { content } of passages) expect(content).toContain(word);
  expect(await stored(await collectionId())).toBe(chunks);
  expect(await db("unreferenced_copies")).toEqual([]);
}

test("an ingest is invisible until it is whole, and tells its progress", async () => {
  const run = await beginHalf(longText("alpha"));
  expect(await stored(await collectionId())).toBeGreaterThan(0);
  expect(await found("alpha")).toEqual([]);
  expect(await db("documents")).toEqual([]);

  const result = await finish(run);
  expect(result).toEqual({
    ...{ document_id: documentId, source: SOURCE, chunks: 150, embedding: createLocalEmbedder().name },
    ...{ unchanged: false, superseded: false },
  });
  expect(run.events.at(-1)).toMatchObject({ data: { type: "progress", progress: 1 } });
  await expectStored("alpha", 150);
});

test("the same content again stores nothing, embeds nothing, and keeps the new metadata", async () => {
  await ingest(longText("alpha"));
  const before = await db("documents").first();
  const embedder: Embedder = {
    name: createLocalEmbedder().name,
    embed: () => Promise.reject(new Error("nothing is to be embedded")),
  };
  const run = await beginIngest(longText("alpha"), { tasks: tasksWith(embedder) });
  expect(await finish(run)).toMatchObject({ unchanged: true, chunks: 150 });
  expect(await db("documents").first()).toEqual({ ...before, job_id: run.jobId });
  await expectStored("alpha", 150);
});

test("new content replaces the old, and the old is gone from the store", async () => {
  await ingest(longText("alpha"));
  const { created_at } = await db("documents").first();
  expect(await ingest("# Beta\n\nOnly beta now.")).toMatchObject({ unchanged: false, chunks: 1 });
  await expectStored("beta", 1);
  expect(await db("documents")).toMatchObject([{ created_at, chunks: 1 }]);
});

test("of two at once the one accepted later stays, whichever is done first", async () => {
  for (const laterFirst of [true, false]) {
    const earlier = await beginHalf(longText("alpha"));
    const later = await beginHalf(longText("beta"));
    const [first, second] = laterFirst ? [later, earlier] : [earlier, later];
    await finish(first);
    await finish(second);
    await expectStored("beta", 150);
    await deleteDocument();
  }
});

test("five at once with the same content store it once", async () => {
  const runs = await Promise.all(Array.from({ length: 5 }, () => beginIngest(longText("alpha", 20))));
  const results = (await Promise.all(runs.map(finish))) as IngestResult[];
  expect(results.some(({ unchanged }) => !unchanged)).toBe(true);
  await ingest(longText("alpha", 20));
  await expectStored("alpha", 20);
});

test("an ingest that is begun again stores the same chunks again", async () => {
  const broken = await beginHalf(longText("alpha"));
  const again = await beginIngest(longText("alpha"), { jobId: broken.jobId });
  await finish(again);
  // The first attempt was only paused and wakes up.
  await finish(broken);
  await expectStored("alpha", 150);
});

test("an ingest whose end was not written says the same again, without its upload", async () => {
  const run = await beginIngest(longText("alpha"));
  const said = await finish(run);
  await redis.del(keys.upload(run.jobId));
  expect(await finish(begin("knowledge.ingest", ingestInput, { jobId: run.jobId }))).toEqual(said);
  await expectStored("alpha", 150);
});

test("a document deleted under its ingest does not come back", async () => {
  await ingest(longText("alpha"));
  const run = await beginHalf(longText("beta"));
  await deleteDocument();
  await expect(finish(run)).rejects.toMatchObject({ code: "document_not_found" });
  expect(await found("beta")).toEqual([]);
  expect(await stored(await collectionId())).toBe(0);
  expect([await db("documents"), await db("unreferenced_copies")]).toEqual([[], []]);
});

test("a deletion that is begun again spares what was stored since", async () => {
  await ingest(longText("alpha"));
  const away = tasksWith(createLocalEmbedder(), "http://127.0.0.1:1");
  const input = { collection_id: await collectionId(), document_id: documentId };
  const deletion = begin("knowledge.delete_document", input, { tasks: away });
  await expect(finish(deletion)).rejects.toMatchObject({ code: "vector_store_unavailable" });
  expect(await db("documents")).toEqual([]);

  await ingest(longText("beta"));
  await finish(begin("knowledge.delete_document", input, { jobId: deletion.jobId }));
  await expectStored("beta", 150);
});

test("an ingest that is broken off from outside can be begun again", async () => {
  const broken = await beginHalf(longText("alpha"));
  await broken.generator.return(undefined);
  await finish(begin("knowledge.ingest", ingestInput, { jobId: broken.jobId }));
  await expectStored("alpha", 150);
});

test("a collection deleted between two attempts of an ingest does not come back", async () => {
  const broken = await beginHalf(longText("alpha"));
  await finish(begin("knowledge.delete_collection", { collection_id: await collectionId() }));
  const again = begin("knowledge.ingest", ingestInput, { jobId: broken.jobId });
  await expect(finish(again)).rejects.toMatchObject({ code: "collection_not_found" });
  expect([await db("collections"), await db("documents")]).toEqual([[], []]);
});

test("a collection deleted under an ingest does not come back, in no part", async () => {
  const run = await beginHalf(longText("alpha"));
  const id = await collectionId();
  await finish(begin("knowledge.delete_collection", { collection_id: id }));
  await expect(finish(run)).rejects.toMatchObject({ code: "collection_not_found" });
  expect([await db("collections"), await db("documents"), await db("unreferenced_copies")]).toEqual([[], [], []]);
  expect(await stored(id)).toBe(0);
});

test("a collection made anew under the same name is another", async () => {
  await ingest(longText("alpha"));
  const id = await collectionId();
  await finish(begin("knowledge.delete_collection", { collection_id: id }));
  await ingest(longText("beta"));
  expect(await collectionId()).not.toBe(id);
  await expectStored("beta", 150);
});

test("an ingest that fails for good takes back what it had stored", async () => {
  let calls = 0;
  const local = createLocalEmbedder();
  const embed: Embedder["embed"] = (texts, signal) => {
    calls += 1;
    return calls < 3 ? local.embed(texts, signal) : Promise.reject(new Error("out of order"));
  };
  const run = await beginIngest(longText("alpha"), { tasks: tasksWith({ name: local.name, embed }) });
  await expect(finish(run)).rejects.toThrow("out of order");
  expect(await stored(await collectionId())).toBe(0);
  expect(await db("unreferenced_copies")).toEqual([]);
});

test("what a job left that nobody runs any more is cleared by the next of its collection", async () => {
  const left = await beginHalf(longText("alpha"));
  const row = { id: left.jobId, owner: OWNER, kind: "execute", agent_type: "knowledge.ingest", task: "", worker: "" };
  await db("agent_logs").insert({
    ...row,
    ...{ status: "failed", fencing_token: 1, attempt: 1, created_at: "", started_at: "" },
  });
  await ingest(longText("beta"));
  await expectStored("beta", 150);
});

test("another embedding is refused, and nothing is stored", async () => {
  await ingest(longText("alpha"));
  const other: Embedder = { ...createLocalEmbedder(), name: "another" };
  const run = await beginIngest(longText("beta"), { tasks: tasksWith(other) });
  await expect(finish(run)).rejects.toMatchObject({ code: "embedding_mismatch" });
  const input = { collection: "docs", query: "alpha", top_k: 5, min_score: 0 };
  const query = begin("knowledge.query", input, { tasks: tasksWith(other) });
  await expect(finish(query)).rejects.toMatchObject({ code: "embedding_mismatch" });
  await expectStored("alpha", 150);
});

test("without its upload a job is invalid; without a store nothing works, and the error says why", async () => {
  await expect(finish(begin("knowledge.ingest", ingestInput))).rejects.toMatchObject({ code: "job_invalid" });
  const embedder = createLocalEmbedder();
  const tasks = createKnowledgeJobs({ documents, store: null, embedder, uploads });
  expect(() => begin("knowledge.ingest", ingestInput, { tasks })).toThrow("CHROMA_URL is not set");
  const search = createRetrieverFor({ documents, store: null, embedder })(OWNER).search;
  await expect(search({ collection: "docs", query: "x", topK: 1 }, AbortSignal.timeout(1_000))).rejects.toMatchObject({
    code: "vector_store_unavailable",
  });
});
