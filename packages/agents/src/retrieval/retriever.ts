/** The retriever port: what agents and tools ask of the documents that the job's owner has stored. */

export type Passage = {
  readonly document_id: string;
  /** The document's name, as it was given when the document was stored. */
  readonly source: string;
  /** The headings that the passage stands under, outermost first, joined by ` › `; empty for none. */
  readonly heading: string;
  readonly content: string;
  /** Place within the document, from 0. */
  readonly position: number;
  /** How near it is to the query: the cosine of the two embeddings, 0 to 1. */
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
   * The nearest passages, best first. Throws a `PlatformError`: `collection_not_found`, `embedding_mismatch` (the
   * collection was made with another embedding than the worker has), `vector_store_unavailable`, or a `model_*` code
   * of the provider of embeddings.
   */
  search(request: SearchRequest, signal: AbortSignal): Promise<Passage[]>;
};
