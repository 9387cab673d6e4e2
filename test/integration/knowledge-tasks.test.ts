/**
 * Knowledge jobs that run at the same time, on a real database, Redis and Chroma. A system job is a generator, so a
 * test holds one between two batches, runs another, and compares queries, rows and the vector store in the end.
 */
import { randomUUID } from "node:crypto";
import type { AgentEvent, AgentRun } from "@agent-paas/agents/agent/agent.ts";
import type { Embedder } from "@agent-paas/agents/model/embedder.ts";
import { createChromaStore } from "@agent-paas/agents/retrieval/chroma-store.ts";
import { createLocalEmbedder } from "@agent-paas/agents/retrieval/local-embedder.ts";
import type { Passage } from "@agent-paas/agents/retrieval/retriever.ts";
import { createJournalStore, createMemoryJournal, type JournalStore } from "@agent-paas/agents/testing";
import { documentIdOf, type IngestResult, type KnowledgeJobId } from "@agent-paas/shared/contract/knowledge.ts";
import type { SqliteDatabase } from "@agent-paas/shared/db/sqlite/open-database.ts";
import { newId } from "@agent-paas/shared/ids.ts";
import { createRedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { Redis } from "ioredis";
import { pino } from "pino";
import { afterAll, beforeAll, beforeEach, expect, inject, test } from "vitest";
import { createKnowledgeJobs } from "../../apps/worker/src/knowledge/knowledge-jobs.ts";
import { createRetrieverFor } from "../../apps/worker/src/knowledge/retriever.ts";
import { createUploads, type Uploads } from "../../apps/worker/src/knowledge/uploads.ts";
import { createKnowledgeRepository } from "../../apps/worker/src/storage/knowledge-repository.ts";
import type { Server } from "../../scripts/services/server.ts";
import { startTestChroma } from "../support/chroma.ts";
import { jobPayload } from "../support/job-payload.ts";
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

let db: SqliteDatabase;
let documents: ReturnType<typeof createKnowledgeRepository>;
beforeEach(async () => {
  const database = await openTestDatabase();
  db = database.db;
  documents = createKnowledgeRepository(database.storage);
});

function tasksWith(embedder: Embedder = createLocalEmbedder(), url = chroma.url) {
  const store = createChromaStore({ url });
  return createKnowledgeJobs({ documents, store, embedder, uploads });
}

/** Text of three batches of chunks; each chunk contains the word. */
const longText = (word: string, sections = 150) =>
  Array.from(
    { length: sections },
    (_, at) => `# Section ${at}\n\nHere ${word} is described, for the ${at}th time.`,
  ).join("\n\n");

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
  const payload = jobPayload({ job_id: jobId, owner: OWNER, agent_type: task, text: "", input });
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

/** How many chunks Chroma holds for a collection, by its own API. */
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

test("a document is invisible until its ingest is complete, and the ingest reports progress", async () => {
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

test("an ingest of unchanged content stores and embeds nothing, and keeps the new metadata", async () => {
  await ingest(longText("alpha"));
  const before = await db("documents").first();
  const embedder: Embedder = {
    name: createLocalEmbedder().name,
    embed: () => Promise.reject(new Error("embed was called")),
  };
  const run = await beginIngest(longText("alpha"), { tasks: tasksWith(embedder) });
  expect(await finish(run)).toMatchObject({ unchanged: true, chunks: 150 });
  expect(await db("documents").first()).toEqual({ ...before, job_id: run.jobId });
  await expectStored("alpha", 150);
});

test("an ingest of new content replaces the old, which is deleted from the vector store", async () => {
  await ingest(longText("alpha"));
  const { created_at } = await db("documents").first();
  expect(await ingest("# Beta\n\nOnly beta now.")).toMatchObject({ unchanged: false, chunks: 1 });
  await expectStored("beta", 1);
  expect(await db("documents")).toMatchObject([{ created_at, chunks: 1 }]);
});

test("of two ingests at once the one accepted later is kept, whichever ends first", async () => {
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

test("five ingests at once with equal content store it once", async () => {
  const runs = await Promise.all(Array.from({ length: 5 }, () => beginIngest(longText("alpha", 20))));
  const results = (await Promise.all(runs.map(finish))) as IngestResult[];
  expect(results.some(({ unchanged }) => !unchanged)).toBe(true);
  await ingest(longText("alpha", 20));
  await expectStored("alpha", 20);
});

test("an ingest that starts over stores its chunks once, also when its first attempt resumes", async () => {
  const broken = await beginHalf(longText("alpha"));
  const again = await beginIngest(longText("alpha"), { jobId: broken.jobId });
  await finish(again);
  // The first attempt was only paused and goes on.
  await finish(broken);
  await expectStored("alpha", 150);
});

test("an ingest that ended but whose end was not written returns its result again, without its upload", async () => {
  const run = await beginIngest(longText("alpha"));
  const first = await finish(run);
  await redis.del(keys.upload(run.jobId));
  expect(await finish(begin("knowledge.ingest", ingestInput, { jobId: run.jobId }))).toEqual(first);
  await expectStored("alpha", 150);
});

test("a document deleted during its ingest does not come back", async () => {
  await ingest(longText("alpha"));
  const run = await beginHalf(longText("beta"));
  await deleteDocument();
  await expect(finish(run)).rejects.toMatchObject({ code: "document_not_found" });
  expect(await found("beta")).toEqual([]);
  expect(await stored(await collectionId())).toBe(0);
  expect([await db("documents"), await db("unreferenced_copies")]).toEqual([[], []]);
});

test("a deletion that starts over spares what was stored after its first attempt", async () => {
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

test("an ingest whose generator is closed early can start over", async () => {
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

test("no part of a collection deleted during an ingest comes back", async () => {
  const run = await beginHalf(longText("alpha"));
  const id = await collectionId();
  await finish(begin("knowledge.delete_collection", { collection_id: id }));
  await expect(finish(run)).rejects.toMatchObject({ code: "collection_not_found" });
  expect([await db("collections"), await db("documents"), await db("unreferenced_copies")]).toEqual([[], [], []]);
  expect(await stored(id)).toBe(0);
});

test("a collection created again under a deleted name is a new collection", async () => {
  await ingest(longText("alpha"));
  const id = await collectionId();
  await finish(begin("knowledge.delete_collection", { collection_id: id }));
  await ingest(longText("beta"));
  expect(await collectionId()).not.toBe(id);
  await expectStored("beta", 150);
});

test("an ingest that fails for good deletes the chunks that it had stored", async () => {
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

test("the unreferenced copy of an ended job is deleted by the next job of its collection", async () => {
  const left = await beginHalf(longText("alpha"));
  const row = { id: left.jobId, owner: OWNER, kind: "execute", agent_type: "knowledge.ingest", task: "", worker: "" };
  await db("agent_logs").insert({
    ...row,
    ...{ status: "failed", fencing_token: 1, attempts: 1, created_at: "", started_at: "" },
  });
  await ingest(longText("beta"));
  await expectStored("beta", 150);
});

test("a collection refuses another embedding for ingests and queries, and stores nothing", async () => {
  await ingest(longText("alpha"));
  const other: Embedder = { ...createLocalEmbedder(), name: "another" };
  const run = await beginIngest(longText("beta"), { tasks: tasksWith(other) });
  await expect(finish(run)).rejects.toMatchObject({ code: "embedding_mismatch" });
  const input = { collection: "docs", query: "alpha", top_k: 5, min_score: 0 };
  const query = begin("knowledge.query", input, { tasks: tasksWith(other) });
  await expect(finish(query)).rejects.toMatchObject({ code: "embedding_mismatch" });
  await expectStored("alpha", 150);
});

test("an ingest without its upload is invalid, and every job without a vector store fails", async () => {
  await expect(finish(begin("knowledge.ingest", ingestInput))).rejects.toMatchObject({ code: "job_invalid" });
  const embedder = createLocalEmbedder();
  const tasks = createKnowledgeJobs({ documents, store: null, embedder, uploads });
  expect(() => begin("knowledge.ingest", ingestInput, { tasks })).toThrow("CHROMA_URL");
  const search = createRetrieverFor({ documents, store: null, embedder })(OWNER).search;
  await expect(search({ collection: "docs", query: "x", topK: 1 }, AbortSignal.timeout(1_000))).rejects.toMatchObject({
    code: "vector_store_unavailable",
  });
});
