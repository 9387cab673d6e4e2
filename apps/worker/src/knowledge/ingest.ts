/**
 * Stores a document: reads its text, cuts it into chunks, embeds them, and puts them into the vector store as the
 * document copy of this job. One transaction then makes this copy the current one; before it, no query finds the
 * chunks. A later attempt goes on from the batch that was reached; chunks have the same ids again, so no chunk is
 * stored twice.
 */
import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import type { AgentRun } from "@agent-paas/agents/agent/agent.ts";
import { thought } from "@agent-paas/agents/agent/events.ts";
import type { DocumentReader } from "@agent-paas/agents/documents/read-document.ts";
import { untilAborted } from "@agent-paas/agents/job/until-aborted.ts";
import { chunkDocument } from "@agent-paas/agents/retrieval/chunk-document.ts";
import type { DocumentFormat, IngestResult } from "@agent-paas/shared/contract/knowledge.ts";
import type { CollectionRow } from "@agent-paas/shared/db/rows.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import { WriterRefused } from "../events/job-event-writer.ts";
import { classifyOutcome } from "../run/classify-outcome.ts";
import type { SystemJobContext } from "../run/system-job.ts";
import type { DocumentJob, KnowledgeRepository, StoredContent } from "../storage/knowledge-repository.ts";
import type { KnowledgeRun } from "./knowledge-run.ts";
import { embedderFor } from "./retriever.ts";
import { type StoreChunksDeps, storeChunks, withoutRepeats } from "./store-chunks.ts";
import { KNOWLEDGE_TEXTS } from "./texts.ts";
import { removeUnreferencedCopies } from "./unreferenced-copies.ts";
import type { Uploads } from "./uploads.ts";

export type IngestDeps = StoreChunksDeps & {
  readonly reader: DocumentReader;
  readonly documents: KnowledgeRepository;
  readonly uploads: Uploads;
};

type IngestRun = KnowledgeRun<"knowledge.ingest">;

/** Ten times the chunks of a usual text of 1 MiB. Only texts of several MiB exceed it. */
const MAX_CHUNKS = 20_000;

/** How long the cleanup may delay the end of a job, ms. The collection's next job removes what is left. */
const CLEANUP_WITHIN_MS = 5 * SECOND;

export async function* ingest(deps: IngestDeps, run: IngestRun): AgentRun {
  const { documents } = deps;
  const { payload, input, context } = run;
  const { owner, job_id: jobId } = payload;
  const { collection, isResumed } = await openCollection(deps, run);
  const job = { owner, collectionId: collection.id, documentId: input.document_id, jobId };
  let completed = false;
  // If the generator is closed early, assume that another fencing token owns the job, unless the signal has a reason.
  let failure: unknown = new WriterRefused();
  try {
    const embedder = embedderFor(collection, deps.embedder);
    const data = yield* storeDocument({ ...deps, embedder }, run, job, isResumed);
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

type OpenedCollection = { readonly collection: CollectionRow; readonly isResumed: boolean };

/**
 * Finds the collection, or creates it. The journal keeps the result, so that a later attempt does not create a
 * collection that was deleted in the meantime.
 */
async function openCollection({ documents, embedder }: IngestDeps, run: IngestRun): Promise<OpenedCollection> {
  const { payload, input, context } = run;
  const entry = await context.journal.begin({ kind: "collection", input: input.collection, idempotent: true });
  if (entry.state === "finished") return { collection: entry.value as CollectionRow, isResumed: true };
  const collection = await documents.openCollection(payload.owner, input.collection, embedder.name);
  if (entry.state === "new") await entry.finish(collection);
  return { collection, isResumed: false };
}

async function* storeDocument(
  { documents, uploads, reader, ...deps }: IngestDeps,
  { payload: { owner, locale }, input: { source, format, charset, ...input }, context: { signal } }: IngestRun,
  job: DocumentJob,
  isResumed: boolean,
) {
  const metadata = JSON.stringify(input.metadata);
  const result = (chunks: number, outcome: Partial<IngestResult> = {}): IngestResult => ({
    document_id: job.documentId,
    source,
    chunks,
    embedding: deps.embedder.name,
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
  const bytes = await uploads.read(job.jobId);
  if (bytes === null) throw new PlatformError("job_invalid", { message: "The document's file is not there any more." });
  if (!isPlain(bytes, format)) yield thought("status", KNOWLEDGE_TEXTS[locale].reading(source));
  const text = isPlain(bytes, format)
    ? bytes.toString()
    : await untilAborted(reader.read({ bytes, format, charset }, owner), signal);
  // Of the text, not of the file: another version of the platform may read more out of the same file.
  const version = createHash("sha256").update(`${format}\n${text}`).digest("hex");
  const unchanged = await resultIfDecided(version);
  if (unchanged !== null) return unchanged;

  await documents.beginCopy(job);
  const chunks = await chunkDocument(text, format === "text" ? "text" : "markdown");
  if (chunks.length > MAX_CHUNKS) {
    throw new PlatformError("payload_too_large", {
      message: `The document falls into more than ${MAX_CHUNKS} pieces.`,
    });
  }
  // Again when the copy is committed; here so that nothing is stored in vain.
  await documents.assertWithinShares(job, chunks.length);
  const copy = { job, source, version, chunks: withoutRepeats(chunks) };
  yield* storeChunks(deps, { ...copy, isResumed, locale, signal });

  const content: StoredContent = {
    source,
    version,
    format,
    bytes: bytes.length,
    chunks: chunks.length,
    metadata,
  };
  signal.throwIfAborted();
  if (await documents.commitCopy(job, content)) return result(chunks.length);
  const decidedSince = await resultIfDecided(version);
  if (decidedSince !== null) return decidedSince;
  await documents.assertWithinShares(job, chunks.length);
  throw deletedDuringIngest("document_not_found", "document");
}

/** What the API has normalized already. */
const isPlain = (bytes: Buffer, format: DocumentFormat): boolean =>
  (format === "text" || format === "markdown") && isUtf8(bytes) && !bytes.includes(0);

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

async function cleanUp({ documents, store, turns }: IngestDeps, job: DocumentJob, { logger }: SystemJobContext) {
  try {
    await documents.abandonCopy(job);
    // Not the job's signal: it has aborted if the job was cancelled.
    await removeUnreferencedCopies({ documents, store, turns }, job, AbortSignal.timeout(CLEANUP_WITHIN_MS));
  } catch (err) {
    logger.warn({ err, collection_id: job.collectionId }, "unreferenced copies stay until the collection's next job");
  }
}
