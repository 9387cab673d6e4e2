/** A strict in-memory fake of the vector store: it passes the contract suite of the real one. Searches are exact. */
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { EmbeddedChunk, FoundChunk, VectorStore } from "../retrieval/vector-store.ts";

export function createMemoryVectorStore(): VectorStore {
  const collections = new Map<string, Map<string, EmbeddedChunk>>();

  function assertDimension(chunks: Iterable<EmbeddedChunk>, embedding: readonly number[]): void {
    const [first] = chunks;
    if (first === undefined || first.embedding.length === embedding.length) return;
    throw new PlatformError("embedding_mismatch");
  }

  async function deleteDocument(collectionId: string, documentId: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const stored = collections.get(collectionId);
    for (const chunk of stored?.values() ?? []) if (chunk.documentId === documentId) stored?.delete(chunk.id);
  }

  return {
    async upsert(collectionId, chunks, signal) {
      signal.throwIfAborted();
      const stored = collections.get(collectionId) ?? new Map<string, EmbeddedChunk>();
      for (const { embedding } of chunks) assertDimension(stored.values(), embedding);
      for (const chunk of chunks) stored.set(chunk.id, wellFormed(chunk));
      collections.set(collectionId, stored);
    },
    async query(collectionId, embedding, limit, signal) {
      signal.throwIfAborted();
      const stored = [...(collections.get(collectionId)?.values() ?? [])];
      assertDimension(stored, embedding);
      const found = stored.map((chunk): FoundChunk => {
        const { embedding: own, ...rest } = chunk;
        return { ...rest, score: Math.min(1, Math.max(0, cosine(own, embedding))) };
      });
      return found.sort((a, b) => b.score - a.score).slice(0, limit);
    },
    async storedChunks(collectionId, documentId, signal) {
      signal.throwIfAborted();
      const stored = [...(collections.get(collectionId)?.values() ?? [])];
      const ofDocument = stored.filter((chunk) => chunk.documentId === documentId);
      return new Map(ofDocument.map(({ id, content }) => [id, content]));
    },
    async chunksFrom(collectionId, documentId, { from, limit }, signal) {
      signal.throwIfAborted();
      return [...(collections.get(collectionId)?.values() ?? [])]
        .filter((chunk) => chunk.documentId === documentId)
        .filter(({ position }) => position >= from && position < from + limit)
        .sort((a, b) => a.position - b.position)
        .map(({ embedding: _, ...chunk }) => chunk);
    },
    async deleteBatch(...document) {
      await deleteDocument(...document);
      return false;
    },
    deleteDocument,
    async deleteCollection(collectionId, signal) {
      signal.throwIfAborted();
      collections.delete(collectionId);
    },
  };
}

/** A copy as a database holds it: independent of the caller's objects, and without half surrogate pairs. */
const wellFormed = (chunk: EmbeddedChunk): EmbeddedChunk => ({
  ...chunk,
  content: chunk.content.toWellFormed(),
  source: chunk.source.toWellFormed(),
  heading: chunk.heading.toWellFormed(),
  embedding: [...chunk.embedding],
});

function cosine(a: readonly number[], b: readonly number[]): number {
  const product = a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0);
  return product / (Math.hypot(...a) * Math.hypot(...b));
}
