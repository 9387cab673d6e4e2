/**
 * Refuses a document early when its owner's share is used up. The worker enforces the shares inside the transactions
 * that add something; requests that arrive at the same moment may pass here, and their jobs then fail.
 */
import { shareExceeded, sharesOf } from "@agent-paas/shared/config/knowledge-shares.ts";
import type { Services } from "../services.ts";

export type NewDocument = { readonly owner: string; readonly collection: string; readonly documentId: string };

/** Throws `knowledge_share_exceeded`. A document that is there already may be stored again. */
export async function assertWithinShares(
  { knowledge, config }: Pick<Services, "knowledge" | "config">,
  { owner, collection, documentId }: NewDocument,
): Promise<void> {
  const shares = sharesOf(config);
  const use = await knowledge.use(owner, collection, documentId);
  if (!use.hasCollection && use.collections >= shares.collections) throw shareExceeded("collections", shares);
  if (use.hasDocument) return;
  if (use.documents >= shares.documents) throw shareExceeded("documents", shares);
  if (use.chunks >= shares.chunks) throw shareExceeded("chunks", shares);
}
