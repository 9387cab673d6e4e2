/**
 * Stores a document: cut into chunks, embedded, put into the store as a copy of the job's own, and made the document's
 * by one transaction. Until then no query sees anything of it, and an attempt that starts over stores the same ids again.
 */
import { createHash } from "node:crypto";
import type { AgentRun } from "@agent-paas/agents/agent/agent.ts";
import { progress } from "@agent-paas/agents/agent/events.ts";
import type { Embedder } from "@agent-paas/agents/model/embedder.ts";
import { chunkDocument } from "@agent-paas/agents/retrieval/chunk-document.ts";
import { textToEmbed } from "@agent-paas/agents/retrieval/search-collection.ts";
import type { VectorStore } from "@agent-paas/agents/retrieval/vector-store.ts";
import type { JobPayload } from "@agent-paas/shared/contract/jobs.ts";
import type { IngestResult, KnowledgeInput } from "@agent-paas/shared/contract/knowledge.ts";
import type { CollectionRow } from "@agent-paas/shared/db/rows.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import { WriterRefused } from "../events/job-event-writer.ts";
import { classifyOutcome } from "../run/classify-outcome.ts";
import type { SystemJobContext } from "../run/system-job.ts";
import type { DocumentJob, KnowledgeRepository, StoredContent } from "../storage/knowledge-repository.ts";
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

/** Chunks that are embedded and stored at once; as often a client hears of the progress. */
const BATCH = 64;

/** Ten times what a text of the largest size falls into; one of nothing but headings has more. */
const MAX_CHUNKS = 20_000;

/** How long clearing up may hold the end of a job, ms. What is left is cleared by the collection's next job. */
const CLEAR_WITHIN_MS = 5 * SECOND;

export async function* ingest(
  deps: IngestDeps,
  payload: JobPayload,
  input: KnowledgeInput<"knowledge.ingest">,
  context: SystemJobContext,
): AgentRun {
  const { documents, embedder } = deps;
  const { owner, job_id: jobId } = payload;
  const collection = await openCollection(deps, owner, input.collection, context);
  const job = { owner, collectionId: collection.id, documentId: input.document_id, jobId };
  let completed = false;
  // If the generator is closed early, assume that another fencing token owns the job, unless the signal has a reason.
  let failure: unknown = new WriterRefused();
  try {
    requireEmbedding(collection, embedder);
    const data = yield* storeDocument(deps, payload, input, job, context.signal);
    completed = true;
    return { data };
  } catch (error) {
    // Whatever came of it: there is nothing to store into any more, and the collection does not come back by itself.
    const isDeleted = !(await documents.hasCollection(owner, collection.id));
    failure = isDeleted ? deletedMeanwhile("collection_not_found", "collection") : error;
    throw failure;
  } finally {
    if (completed || endsForGood(failure, context.signal)) await clearUp(deps, job, context);
  }
}

/** One that an earlier attempt has opened, and that was deleted since, is not made anew. */
async function openCollection(
  { documents, embedder }: IngestDeps,
  owner: string,
  name: string,
  { journal }: SystemJobContext,
): Promise<CollectionRow> {
  const step = await journal.begin({ kind: "collection", input: name, idempotent: true });
  if (step.state === "finished") return step.value as CollectionRow;
  const collection = await documents.openCollection(owner, name, embedder.name);
  if (step.state === "new") await step.finish(collection);
  return collection;
}

async function* storeDocument(
  { documents, store, embedder, uploads }: IngestDeps,
  { locale }: JobPayload,
  { source, format, ...input }: KnowledgeInput<"knowledge.ingest">,
  job: DocumentJob,
  signal: AbortSignal,
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

  /** The result, if what is stored already decides it; `version` is null before the text was read. */
  async function settled(version: string | null): Promise<IngestResult | null> {
    const known = await documents.findDocument(job);
    if (known === undefined) return null;
    // An earlier attempt of this job came so far.
    if (known.job_id === job.jobId) return result(known.chunks, { unchanged: known.copy_id !== job.jobId });
    if (known.job_id > job.jobId) return result(known.chunks, { superseded: true });
    const isSame = known.version === version && (await documents.confirm(job, version, metadata));
    return isSame ? result(known.chunks, { unchanged: true }) : null;
  }

  const before = await settled(null);
  if (before !== null) return before;
  const text = await uploads.read(job.jobId);
  if (text === null) throw new PlatformError("job_invalid", { message: "The document's text is not there any more." });
  const version = createHash("sha256").update(`${format}\n${text}`).digest("hex");
  const unchanged = await settled(version);
  if (unchanged !== null) return unchanged;

  await documents.beginCopy(job);
  const chunks = await chunkDocument(text, format);
  if (chunks.length > MAX_CHUNKS) {
    throw new PlatformError("payload_too_large", {
      message: `The document falls into more than ${MAX_CHUNKS} pieces.`,
    });
  }
  for (let at = 0; at < chunks.length; at += BATCH) {
    yield progress(at / chunks.length, KNOWLEDGE_TEXTS[locale].stored(at, chunks.length));
    const batch = chunks.slice(at, at + BATCH);
    const texts = batch.map((chunk) => textToEmbed({ source, ...chunk }));
    const embeddings = await embedder.embed(texts, signal);
    const embedded = batch.map((chunk, index) => ({
      id: `${job.jobId}:${chunk.position}`,
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
  const meanwhile = await settled(version);
  if (meanwhile !== null) return meanwhile;
  throw deletedMeanwhile("document_not_found", "document");
}

const deletedMeanwhile = (code: "collection_not_found" | "document_not_found", what: string) =>
  new PlatformError(code, { message: `The ${what} was deleted while the document was being stored.` });

/** Whether the job will not be attempted again. After its last retry, which is not known here, another job clears up. */
function endsForGood(failure: unknown, signal: AbortSignal): boolean {
  const { kind } = classifyOutcome(failure, signal, true);
  return kind === "failed" || kind === "cancelled";
}

async function clearUp({ documents, store }: IngestDeps, job: DocumentJob, { logger }: SystemJobContext) {
  try {
    await documents.abandonCopy(job);
    // Of its own, because the job's has aborted when it was cancelled.
    await removeUnreferencedCopies(documents, store, job, AbortSignal.timeout(CLEAR_WITHIN_MS));
  } catch (err) {
    logger.warn({ err, collection_id: job.collectionId }, "unreferenced copies are left to the collection's next job");
  }
}
