/**
 * Removes unreferenced copies from the vector store: replaced, deleted and incomplete ones, and those of deleted
 * collections.
 */
import type { VectorStore } from "@agent-paas/agents/retrieval/vector-store.ts";
import type { DocumentJob, KnowledgeRepository } from "../storage/knowledge-repository.ts";
import type { StoreTurns } from "./store-turns.ts";

export type CleanupDeps = {
  readonly documents: KnowledgeRepository;
  readonly store: VectorStore;
  readonly turns: StoreTurns;
};

/** If it fails or is aborted, the next job of the collection removes the rest. */
export async function removeUnreferencedCopies(
  { documents, store, turns }: CleanupDeps,
  { owner, collectionId, jobId }: Omit<DocumentJob, "documentId">,
  signal: AbortSignal,
): Promise<void> {
  if (!(await documents.hasCollection(owner, collectionId))) {
    // A running ingest may have created the collection in the store again. No later collection gets this id.
    await store.deleteCollection(collectionId, signal);
    return;
  }
  for (const { id } of await documents.unreferencedCopies(owner, collectionId, jobId)) {
    const deleteBatch = () => store.deleteBatch(collectionId, id, new AbortController().signal);
    while (await turns.run({ owner, collectionId }, signal, deleteBatch));
    await documents.forgetCopy(owner, id);
  }
}
