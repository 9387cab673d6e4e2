/** Embeds the chunks of a document copy and puts them into the vector store, batch by batch, each in its turn. */

import type { AgentEvent } from "@agent-paas/agents/agent/agent.ts";
import { progress } from "@agent-paas/agents/agent/events.ts";
import type { Embedder } from "@agent-paas/agents/model/embedder.ts";
import type { Chunk } from "@agent-paas/agents/retrieval/chunk-document.ts";
import { textToEmbed } from "@agent-paas/agents/retrieval/search-collection.ts";
import type { VectorStore } from "@agent-paas/agents/retrieval/vector-store.ts";
import type { Locale } from "@agent-paas/shared/contract/locale.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import type { DocumentJob } from "../storage/knowledge-repository.ts";
import type { StoreTurns } from "./store-turns.ts";
import { KNOWLEDGE_TEXTS } from "./texts.ts";
import type { WriteGroups } from "./write-groups.ts";

/** How many chunks are embedded and stored together. Each such batch publishes its progress once. */
const BATCH = { most: 32, least: 8 } as const;
/** A batch that takes longer is followed by a smaller one: whoever is next waits for a batch, and so does a query. */
const SLOW_MS = 2 * SECOND;
const FAST_MS = SECOND / 2;

export type CopyToStore = {
  readonly job: DocumentJob;
  readonly source: string;
  readonly version: string;
  /** No two of them are equal. */
  readonly chunks: readonly Chunk[];
  /** Whether an earlier attempt may have stored some of the chunks. */
  readonly isResumed: boolean;
  readonly locale: Locale;
  readonly signal: AbortSignal;
};

export type StoreChunksDeps = {
  readonly store: VectorStore;
  readonly embedder: Embedder;
  readonly turns: StoreTurns;
  readonly groups: WriteGroups;
};

/** Goes on from the batch that an earlier attempt had reached. */
export async function* storeChunks(deps: StoreChunksDeps, copy: CopyToStore): AsyncGenerator<AgentEvent, void> {
  const { store, embedder, groups } = deps;
  const { job, source, version, chunks, isResumed, locale, signal } = copy;
  const texts = KNOWLEDGE_TEXTS[locale];
  // The vector store knows a document copy by the id of its job.
  const copyId = job.jobId;
  const missing = isResumed ? await findMissing(deps, copy) : chunks;
  const before = chunks.length - missing.length;
  // An attempt that failed may have failed because its batches were too large for a busy store.
  let size: number = isResumed ? BATCH.least * 2 : BATCH.most;
  for (let at = 0; at < missing.length; ) {
    yield progress((before + at) / chunks.length, texts.stored(before + at, chunks.length));
    const batch = missing.slice(at, at + size);
    const embeddings = await embedder.embed(
      batch.map((chunk) => textToEmbed({ source, ...chunk })),
      signal,
    );
    const embedded = batch.map((chunk, index) => ({
      ...{ id: idOf(job, chunk), documentId: copyId, version, source, ...chunk },
      embedding: embeddings[index] ?? [],
    }));
    const tookMs = await groups.write(store, job, signal, embedded);
    at += batch.length;
    if (tookMs > SLOW_MS) size = Math.max(BATCH.least, size >> 1);
    else if (tookMs < FAST_MS) size = Math.min(BATCH.most, size * 2);
  }
  yield progress(1, texts.stored(chunks.length, chunks.length));
}

const idOf = ({ jobId }: DocumentJob, { position }: Chunk): string => `${jobId}:${position}`;

/**
 * The chunks that an earlier attempt has not stored; the store knows which it has. If it has others, another version of
 * the platform has cut them, and all begins anew.
 */
async function findMissing(
  { store, turns }: StoreChunksDeps,
  { job, chunks, signal }: CopyToStore,
): Promise<readonly Chunk[]> {
  const stored = await store.storedChunks(job.collectionId, job.jobId, signal);
  const isStored = (chunk: Chunk) => stored.get(idOf(job, chunk)) === chunk.content.toWellFormed();
  const missing = chunks.filter((chunk) => !isStored(chunk));
  if (missing.length + stored.size === chunks.length) return missing;
  const deleteBatch = () => store.deleteBatch(job.collectionId, job.jobId, new AbortController().signal);
  while (await turns.run(job, signal, deleteBatch));
  return chunks;
}

/**
 * A passage that the document repeats under the same headings is stored once: a query would find all of them or none,
 * and Chroma takes longest to index equal vectors.
 */
export function withoutRepeats(chunks: readonly Chunk[]): Chunk[] {
  const seen = new Set<string>();
  return chunks.filter(({ heading, content }) => {
    const passage = `${heading}\n${content}`;
    const isNew = !seen.has(passage);
    seen.add(passage);
    return isNew;
  });
}
