/** The vector store port: as much of a vector database as retrieval needs. */

/** A piece of a document, as it is stored. */
export type StoredChunk = {
  /** Unique within the collection, the same for the same piece of the same version. */
  readonly id: string;
  readonly documentId: string;
  /** Of the document's content; a document that is stored anew with other content has another. */
  readonly version: string;
  readonly source: string;
  readonly heading: string;
  readonly position: number;
  readonly content: string;
};

export type EmbeddedChunk = StoredChunk & { readonly embedding: readonly number[] };

export type FoundChunk = StoredChunk & {
  /** Cosine of the chunk's and the query's embeddings, 0 to 1. */
  readonly score: number;
};

/** Every call throws `vector_store_unavailable` when the store is away or does not answer in time. */
export type VectorStore = {
  /** Stores chunks, over those with the same ids. Makes the collection when there is none. */
  upsert(collectionId: string, chunks: readonly EmbeddedChunk[], signal: AbortSignal): Promise<void>;
  /** The nearest chunks, best first; none when there is no such collection. */
  query(collectionId: string, embedding: readonly number[], limit: number, signal: AbortSignal): Promise<FoundChunk[]>;
  /** Deletes a document's chunks. Deleting what is gone is fine. */
  deleteDocument(collectionId: string, documentId: string, signal: AbortSignal): Promise<void>;
  /** Deleting what is gone is fine. */
  deleteCollection(collectionId: string, signal: AbortSignal): Promise<void>;
};
