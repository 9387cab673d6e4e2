/**
 * Searches the collections of one owner. The vector store may hold unreferenced copies; the database decides which
 * copy of a document is current.
 */
import type { Embedder } from "@agent-paas/agents/model/embedder.ts";
import type { Passage, Retriever } from "@agent-paas/agents/retrieval/retriever.ts";
import { searchCollection } from "@agent-paas/agents/retrieval/search-collection.ts";
import type { VectorStore } from "@agent-paas/agents/retrieval/vector-store.ts";
import type { CollectionRow } from "@agent-paas/shared/db/rows.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { KnowledgeRepository } from "../storage/knowledge-repository.ts";

export type KnowledgeDeps = {
  readonly documents: KnowledgeRepository;
  /** Null if no vector store is configured; all knowledge jobs then fail with `vector_store_unavailable`. */
  readonly store: VectorStore | null;
  readonly embedder: Embedder;
  /** Whether searches go by terms too. Default: true. */
  readonly isHybrid?: boolean;
};

/** What was found, and by which embedding: that of the collection, which may be another one than the preferred. */
export type Found = { readonly embedding: string; readonly passages: Passage[] };

export const createSearchFor =
  ({ documents, store: configured, embedder: preferred, isHybrid = true }: KnowledgeDeps) =>
  (owner: string) =>
  async (request: Parameters<Retriever["search"]>[0], signal: AbortSignal): Promise<Found> => {
    const store = requireStore(configured);
    const collection = await documents.findCollection(owner, request.collection);
    if (collection === undefined) throw new PlatformError("collection_not_found");
    const embedder = embedderFor(collection, preferred);

    // The vector store knows a document copy by the id of its ingest job, where passages have the id of the document.
    const documentIds = new Map<string, string>();
    const currentVersions = async (copyIds: readonly string[]) => {
      const current = await documents.currentCopies(owner, collection.id, copyIds);
      for (const { id, copy_id } of current) documentIds.set(copy_id, id);
      return new Map(current.map(({ copy_id, version }) => [copy_id, version]));
    };
    const deps = { store, embedder, isHybrid, currentVersions };
    const copies = await searchCollection(deps, collection.id, request, signal);
    const passages = copies.map((passage): Passage => {
      const documentId = documentIds.get(passage.document_id);
      if (documentId === undefined) throw new Error("a passage of no document");
      return { ...passage, document_id: documentId };
    });
    return { embedding: embedder.name, passages };
  };

export const createRetrieverFor =
  (deps: KnowledgeDeps) =>
  (owner: string): Retriever => ({
    search: async (request, signal) => (await createSearchFor(deps)(owner)(request, signal)).passages,
  });

export function requireStore(store: VectorStore | null): VectorStore {
  if (store !== null) return store;
  throw new PlatformError("vector_store_unavailable", {
    message: "No vector store is configured: CHROMA_URL is not set.",
  });
}

/** The embedder by which the collection's chunks can be found, and others be added to them. */
export function embedderFor({ name, embedding }: CollectionRow, embedder: Embedder): Embedder {
  if (embedding === embedder.name) return embedder;
  const other = embedder.reads?.(embedding);
  if (other !== undefined) return other;
  throw new PlatformError("embedding_mismatch", {
    message: `The collection ${name} was made with the embedding ${embedding}; the platform has ${embedder.name} now.`,
  });
}
