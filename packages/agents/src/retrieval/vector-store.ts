/** The vector store port: the part of a vector database that retrieval needs. */

/** A chunk of a document as it is stored. */
export type StoredChunk = {
  /** Unique within the collection, and equal for the same chunk of the same version. */
  readonly id: string;
  readonly documentId: string;
  /** The version of the document's content. New content of the same document gets another version. */
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

/** Every call throws `vector_store_unavailable` when the store is unreachable or does not answer in time. */
export type VectorStore = {
  /** Stores chunks, replacing those with the same ids. Creates the collection if there is none. */
  upsert(collectionId: string, chunks: readonly EmbeddedChunk[], signal: AbortSignal): Promise<void>;
  /** The nearest chunks, best first; empty when the collection does not exist. */
  query(collectionId: string, embedding: readonly number[], limit: number, signal: AbortSignal): Promise<FoundChunk[]>;
  /** The contents of the document's chunks that are stored, by id; empty when the collection does not exist. */
  storedChunks(collectionId: string, documentId: string, signal: AbortSignal): Promise<ReadonlyMap<string, string>>;
  /** Chunks of the document in the order of their positions; empty when the collection does not exist. */
  chunksFrom(
    collectionId: string,
    documentId: string,
    range: { readonly from: number; readonly limit: number },
    signal: AbortSignal,
  ): Promise<StoredChunk[]>;
  /** Deletes some hundred chunks of the document at most. False: there are no more. */
  deleteBatch(collectionId: string, documentId: string, signal: AbortSignal): Promise<boolean>;
  /** Deletes all chunks of the document. Succeeds when there are none. */
  deleteDocument(collectionId: string, documentId: string, signal: AbortSignal): Promise<void>;
  /** Succeeds when the collection does not exist. */
  deleteCollection(collectionId: string, signal: AbortSignal): Promise<void>;
};
