/**
 * Knowledge jobs without a worker: a system job is a generator, so a test can hold one between two batches, run another
 * one, and compare queries, rows and the vector store in the end.
 */
import { randomUUID } from "node:crypto";
import type { AgentEvent, AgentRun } from "@agent-paas/agents/agent/agent.ts";
import { createDocumentReader } from "@agent-paas/agents/documents/read-document.ts";
import type { Embedder } from "@agent-paas/agents/model/embedder.ts";
import { createChromaStore } from "@agent-paas/agents/retrieval/chroma-store.ts";
import { createLocalEmbedder } from "@agent-paas/agents/retrieval/local-embedder.ts";
import type { Passage } from "@agent-paas/agents/retrieval/retriever.ts";
import { createJournalStore, createMemoryJournal, type JournalStore } from "@agent-paas/agents/testing";
import { documentIdOf, type IngestResult, type KnowledgeJobId } from "@agent-paas/shared/contract/knowledge.ts";
import { newId } from "@agent-paas/shared/ids.ts";
import { createRedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { pino } from "pino";
import { expect, inject } from "vitest";
import { createKnowledgeJobs } from "../../apps/worker/src/knowledge/knowledge-jobs.ts";
import { createRetrieverFor } from "../../apps/worker/src/knowledge/retriever.ts";
import { createUploads } from "../../apps/worker/src/knowledge/uploads.ts";
import { createKnowledgeRepository } from "../../apps/worker/src/storage/knowledge-repository.ts";
import { startTestChroma } from "./chroma.ts";
import { jobPayload } from "./job-payload.ts";
import { openTestRedis } from "./redis.ts";
import { openTestDatabase } from "./test-database.ts";

export const OWNER = "alice";
export const SOURCE = "guide.md";
export const DOCUMENT_ID = documentIdOf(OWNER, "docs", SOURCE);
export const INGEST_INPUT = {
  ...{ collection: "docs", document_id: DOCUMENT_ID, source: SOURCE },
  ...{ format: "markdown", metadata: {} },
};

/** Its thread begins with the first file, and does not keep the process. */
export const reader = createDocumentReader({ pages: 100, textBytes: 1_024 * 1_024, withinMs: 30_000 });

const logger = pino({ level: "silent" });

type KnowledgeJobs = ReturnType<typeof createKnowledgeJobs>;
type BeginOptions = { readonly jobId?: string; readonly jobs?: KnowledgeJobs };
type Run = { readonly jobId: string; readonly events: AgentEvent[]; readonly generator: AgentRun };

/** Text of three batches of chunks; each chunk contains the word. */
export const longText = (word: string, sections = 150) =>
  Array.from(
    { length: sections },
    (_, at) => `# Section ${at}\n\nHere ${word} is described, for the ${at}th time.`,
  ).join("\n\n");

/** Runs a job to its end and returns the data of its result. */
export async function finish({ generator, events }: Run): Promise<unknown> {
  for (;;) {
    const next = await generator.next();
    if (next.done) return next.value?.data;
    events.push(next.value);
  }
}

export type KnowledgeServices = Awaited<ReturnType<typeof startKnowledgeServices>>;

export async function startKnowledgeServices() {
  const keys = createRedisKeys(`t${randomUUID().slice(0, 8)}`);
  const redis = openTestRedis(inject("redisUrl"), keys);
  const chroma = await startTestChroma();
  return {
    ...{ redis, keys, chroma, uploads: createUploads(redis, keys) },
    async stop(): Promise<void> {
      redis.disconnect();
      await chroma.stop();
    },
  };
}

export type KnowledgeJobsTest = Awaited<ReturnType<typeof openKnowledgeJobs>>;

/** Jobs on a database of their own, all of them about one document of the collection `docs`. */
export async function openKnowledgeJobs({ redis, keys, chroma, uploads }: KnowledgeServices) {
  const { db, storage } = await openTestDatabase();
  const documents = createKnowledgeRepository(storage);
  /** A later attempt of a job gets the journal entries of the earlier attempts. */
  const journals = new Map<string, JournalStore>();
  function journalOf(jobId: string) {
    const entries = journals.get(jobId) ?? createJournalStore();
    journals.set(jobId, entries);
    return createMemoryJournal(entries);
  }

  function jobsWith(embedder: Embedder = createLocalEmbedder(), url = chroma.url): KnowledgeJobs {
    return createKnowledgeJobs({ documents, store: createChromaStore({ url }), embedder, uploads, reader });
  }

  function begin(id: KnowledgeJobId, input: object, { jobId = newId(), jobs = jobsWith() }: BeginOptions = {}): Run {
    const payload = jobPayload({ job_id: jobId, owner: OWNER, agent_type: id, text: "", input });
    const run = jobs.get(id);
    if (run === undefined) throw new Error(id);
    const { signal } = new AbortController();
    return { jobId, events: [], generator: run(payload, { signal, journal: journalOf(jobId), logger }) };
  }

  async function beginIngest(text: string, { jobId = newId(), ...more }: BeginOptions = {}): Promise<Run> {
    await redis.set(keys.upload(jobId), text);
    return begin("knowledge.ingest", INGEST_INPUT, { ...more, jobId });
  }

  const collectionId = async () => (await documents.findCollection(OWNER, "docs"))?.id ?? "";

  async function found(query: string): Promise<readonly Passage[]> {
    const store = createChromaStore({ url: chroma.url });
    const retriever = createRetrieverFor({ documents, store, embedder: createLocalEmbedder() })(OWNER);
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

  return {
    ...{ db, documents, jobsWith, begin, beginIngest, collectionId, found, stored },
    /** An ingest that has stored its first batch and is about to store the next. */
    async beginHalf(text: string, options: BeginOptions = {}): Promise<Run> {
      const run = await beginIngest(text, options);
      await run.generator.next();
      await run.generator.next();
      return run;
    },
    ingest: async (text: string) => (await finish(await beginIngest(text))) as IngestResult,
    deleteDocument: async () =>
      finish(begin("knowledge.delete_document", { collection_id: await collectionId(), document_id: DOCUMENT_ID })),
    /** The document is stored with so many chunks, each of them once, and no copy is left over. */
    async expectStored(word: string, chunks: number): Promise<void> {
      const passages = await found(word);
      expect(passages.length).toBe(Math.min(5, chunks));
      expect(new Set(passages.map(({ document_id }) => document_id))).toEqual(new Set([DOCUMENT_ID]));
      expect(new Set(passages.map(({ position }) => position)).size).toBe(passages.length);
      for (const { content } of passages) expect(content).toContain(word);
      expect(await stored(await collectionId())).toBe(chunks);
      expect(await db("unreferenced_copies")).toEqual([]);
    },
  };
}
