/** The retriever port: how agents and tools search the documents that the job's owner has stored. */

export type Passage = {
  readonly document_id: string;
  /** The document's name, as it was given when the document was stored. */
  readonly source: string;
  /** The headings above the passage, outermost first, joined by ` › `; empty for none. */
  readonly heading: string;
  readonly content: string;
  /** Index of the chunk within its document, from 0. */
  readonly position: number;
  /** How well it answers the query, 0 to 1: of its terms and its meaning, or the cosine if searches are not hybrid. */
  readonly score: number;
};

export type SearchRequest = {
  readonly collection: string;
  readonly query: string;
  /** Most passages. */
  readonly topK: number;
  /** Passages with a lower score are left out. Default: 0. */
  readonly minScore?: number;
};

export type Retriever = {
  /**
   * The best passages first. Throws a `PlatformError`: `collection_not_found`, `embedding_mismatch` (the
   * collection was created with another embedder than the worker has), `vector_store_unavailable`, or a `model_*` code
   * of the embedding provider.
   */
  search(request: SearchRequest, signal: AbortSignal): Promise<Passage[]>;
};
