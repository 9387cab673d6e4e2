/**
 * Stores a document: cuts it into chunks, embeds them, and puts them into the vector store as the document copy of
 * this job. One transaction then makes this copy the current one; before it, no query finds the chunks. A later
 * attempt stores chunks under the same ids again, so no chunk is stored twice.
 */
import { createHash } from "node:crypto";
import type { AgentRun } from "@agent-paas/agents/agent/agent.ts";
import { progress } from "@agent-paas/agents/agent/events.ts";
import type { Embedder } from "@agent-paas/agents/model/embedder.ts";
import { chunkDocument } from "@agent-paas/agents/retrieval/chunk-document.ts";
import { textToEmbed } from "@agent-paas/agents/retrieval/search-collection.ts";
import type { VectorStore } from "@agent-paas/agents/retrieval/vector-store.ts";
import type { IngestResult } from "@agent-paas/shared/contract/knowledge.ts";
import type { CollectionRow } from "@agent-paas/shared/db/rows.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import { WriterRefused } from "../events/job-event-writer.ts";
import { classifyOutcome } from "../run/classify-outcome.ts";
import type { SystemJobContext } from "../run/system-job.ts";
import type { DocumentJob, KnowledgeRepository, StoredContent } from "../storage/knowledge-repository.ts";
import type { KnowledgeRun } from "./knowledge-run.ts";
import { requireEmbedding } from "./retriever.ts";
import { KNOWLEDGE_TEXTS } from "./texts.ts";
import { removeUnreferencedCopies } from "./unreferenced-copies.ts";
import type { Uploads } from "./uploads.ts";

export type IngestDeps = {
  readonly documents: KnowledgeRepository;
  readonly store: VectorStore;
  readonly embedder: Embedder;
  readonly uploads: Uploads;
};

type IngestRun = KnowledgeRun<"knowledge.ingest">;

/** How many chunks are embedded and stored together. Each such group publishes its progress once. */
const CHUNKS_PER_GROUP = 64;

/** Ten times the chunks of a usual text of the largest size. Only texts that consist of headings exceed it. */
const MAX_CHUNKS = 20_000;

/** How long the cleanup may delay the end of a job, ms. The collection's next job removes what is left. */
const CLEANUP_WITHIN_MS = 5 * SECOND;

export async function* ingest(deps: IngestDeps, run: IngestRun): AgentRun {
  const { documents, embedder } = deps;
  const { payload, input, context } = run;
  const { owner, job_id: jobId } = payload;
  const collection = await openCollection(deps, run);
  const job = { owner, collectionId: collection.id, documentId: input.document_id, jobId };
  let completed = false;
  // If the generator is closed early, assume that another fencing token owns the job, unless the signal has a reason.
  let failure: unknown = new WriterRefused();
  try {
    requireEmbedding(collection, embedder);
    const data = yield* storeDocument(deps, run, job);
    completed = true;
    return { data };
  } catch (error) {
    // If the collection was deleted, no retry can succeed, so that error replaces any other.
    const isDeleted = !(await documents.hasCollection(owner, collection.id));
    failure = isDeleted ? deletedDuringIngest("collection_not_found", "collection") : error;
    throw failure;
  } finally {
    if (completed || isFinal(failure, context.signal)) await cleanUp(deps, job, context);
  }
}

/**
 * Finds the collection, or creates it. The journal keeps the result, so that a later attempt does not create a
 * collection that was deleted in the meantime.
 */
async function openCollection({ documents, embedder }: IngestDeps, run: IngestRun): Promise<CollectionRow> {
  const { payload, input, context } = run;
  const entry = await context.journal.begin({ kind: "collection", input: input.collection, idempotent: true });
  if (entry.state === "finished") return entry.value as CollectionRow;
  const collection = await documents.openCollection(payload.owner, input.collection, embedder.name);
  if (entry.state === "new") await entry.finish(collection);
  return collection;
}

async function* storeDocument(
  { documents, store, embedder, uploads }: IngestDeps,
  { payload: { locale }, input: { source, format, ...input }, context: { signal } }: IngestRun,
  job: DocumentJob,
) {
  const metadata = JSON.stringify(input.metadata);
  const result = (chunks: number, outcome: Partial<IngestResult> = {}): IngestResult => ({
    document_id: job.documentId,
    source,
    chunks,
    embedding: embedder.name,
    unchanged: false,
    superseded: false,
    ...outcome,
  });

  /**
   * The result of the job if the stored document already decides it; null if the document must be stored. `version` is
   * null as long as the text was not read.
   */
  async function resultIfDecided(version: string | null): Promise<IngestResult | null> {
    const known = await documents.findDocument(job);
    if (known === undefined) return null;
    // An earlier attempt of this job stored or confirmed the document.
    if (known.job_id === job.jobId) return result(known.chunks, { unchanged: known.copy_id !== job.jobId });
    if (known.job_id > job.jobId) return result(known.chunks, { superseded: true });
    const isSame = known.version === version && (await documents.confirm(job, version, metadata));
    return isSame ? result(known.chunks, { unchanged: true }) : null;
  }

  const decided = await resultIfDecided(null);
  if (decided !== null) return decided;
  const text = await uploads.read(job.jobId);
  if (text === null) throw new PlatformError("job_invalid", { message: "The document's text is not there any more." });
  const version = createHash("sha256").update(`${format}\n${text}`).digest("hex");
  const unchanged = await resultIfDecided(version);
  if (unchanged !== null) return unchanged;

  await documents.beginCopy(job);
  const chunks = await chunkDocument(text, format);
  if (chunks.length > MAX_CHUNKS) {
    throw new PlatformError("payload_too_large", {
      message: `The document falls into more than ${MAX_CHUNKS} pieces.`,
    });
  }
  for (let at = 0; at < chunks.length; at += CHUNKS_PER_GROUP) {
    yield progress(at / chunks.length, KNOWLEDGE_TEXTS[locale].stored(at, chunks.length));
    const group = chunks.slice(at, at + CHUNKS_PER_GROUP);
    const texts = group.map((chunk) => textToEmbed({ source, ...chunk }));
    const embeddings = await embedder.embed(texts, signal);
    const embedded = group.map((chunk, index) => ({
      id: `${job.jobId}:${chunk.position}`,
      // The vector store knows a document copy by the id of its job.
      documentId: job.jobId,
      version,
      source,
      ...chunk,
      embedding: embeddings[index] ?? [],
    }));
    await store.upsert(job.collectionId, embedded, signal);
  }
  yield progress(1, KNOWLEDGE_TEXTS[locale].stored(chunks.length, chunks.length));

  const content: StoredContent = {
    source,
    version,
    format,
    bytes: Buffer.byteLength(text),
    chunks: chunks.length,
    metadata,
  };
  signal.throwIfAborted();
  if (await documents.commitCopy(job, content)) return result(chunks.length);
  const decidedSince = await resultIfDecided(version);
  if (decidedSince !== null) return decidedSince;
  throw deletedDuringIngest("document_not_found", "document");
}

const deletedDuringIngest = (code: "collection_not_found" | "document_not_found", what: string) =>
  new PlatformError(code, { message: `The ${what} was deleted while the document was being stored.` });

/**
 * Whether no further attempt follows. This part does not know how many retries are left: after the last one it answers
 * false, and the collection's next job does the cleanup.
 */
function isFinal(failure: unknown, signal: AbortSignal): boolean {
  const { kind } = classifyOutcome(failure, signal, true);
  return kind === "failed" || kind === "cancelled";
}

async function cleanUp({ documents, store }: IngestDeps, job: DocumentJob, { logger }: SystemJobContext) {
  try {
    await documents.abandonCopy(job);
    // Not the job's signal: it has aborted if the job was cancelled.
    await removeUnreferencedCopies({ documents, store }, job, AbortSignal.timeout(CLEANUP_WITHIN_MS));
  } catch (err) {
    logger.warn({ err, collection_id: job.collectionId }, "unreferenced copies stay until the collection's next job");
  }
}
