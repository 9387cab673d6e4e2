/** The retriever port: how agents and tools search the documents that the job's owner has stored. */

import type { Passage } from "@agent-paas/shared/contract/knowledge.ts";

export type { Passage };

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
