/** How much of the vector store and of the database one owner may fill with knowledge. */

import { PlatformError } from "../errors/platform-error.ts";
import { MINUTE } from "../time.ts";
import type { CommonConfig } from "./common-config.ts";

export type KnowledgeShares = {
  readonly collections: number;
  readonly documents: number;
  /** Of all documents together. */
  readonly chunks: number;
};

export const NO_SHARES: KnowledgeShares = {
  ...{ collections: Number.MAX_SAFE_INTEGER, documents: Number.MAX_SAFE_INTEGER, chunks: Number.MAX_SAFE_INTEGER },
};

export const sharesOf = (config: CommonConfig): KnowledgeShares => ({
  collections: config.MAX_COLLECTIONS_PER_OWNER,
  documents: config.MAX_DOCUMENTS_PER_OWNER,
  chunks: config.MAX_CHUNKS_PER_OWNER,
});

/** Only a deletion by the owner makes room, so nobody needs to ask often. */
const RETRY_AFTER_MS = MINUTE;

export const shareExceeded = (what: keyof KnowledgeShares, shares: KnowledgeShares): PlatformError =>
  new PlatformError("knowledge_share_exceeded", {
    message: `One owner may have ${shares[what]} ${what}. Delete some first.`,
    retryAfterMs: RETRY_AFTER_MS,
    details: { share: what, limit: shares[what] },
  });
