/** Takes from the store what serves nobody: replaced, deleted and broken-off copies, and those of deleted collections. */
import type { VectorStore } from "@agent-paas/agents/retrieval/vector-store.ts";
import type { DocumentJob, KnowledgeRepository } from "../storage/knowledge-repository.ts";

/** What it does not come to is found by the next job of the collection. */
export async function removeUnreferencedCopies(
  documents: KnowledgeRepository,
  store: VectorStore,
  { owner, collectionId, jobId }: Omit<DocumentJob, "documentId">,
  signal: AbortSignal,
): Promise<void> {
  if (!(await documents.hasCollection(owner, collectionId))) {
    // An ingest that was under way makes it anew in the store; the id is never used again.
    await store.deleteCollection(collectionId, signal);
    return;
  }
  for (const { id } of await documents.unreferencedCopies(owner, collectionId, jobId)) {
    await store.deleteDocument(collectionId, id, signal);
    await documents.forgetCopy(owner, id);
  }
}
