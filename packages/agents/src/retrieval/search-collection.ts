/**
 * Finds the passages for a query. The store may also hold chunks of documents that were replaced or deleted, and the
 * first chunks of a document that is being stored. Only chunks of a document's current version become passages.
 */
import type { Embedder } from "../model/embedder.ts";
import type { Passage, SearchRequest } from "./retriever.ts";
import type { FoundChunk, StoredChunk, VectorStore } from "./vector-store.ts";

/** The limit is multiplied by this when too few of the found chunks are current. */
const LIMIT_FACTOR = 4;
const MAX_CANDIDATES = 1_000;

export type SearchDeps = {
  readonly store: VectorStore;
  readonly embedder: Embedder;
  /** The current versions of the given documents. Deleted and partly stored documents are missing from the map. */
  readonly currentVersions: (documentIds: readonly string[]) => Promise<ReadonlyMap<string, string>>;
};

export async function searchCollection(
  { store, embedder, currentVersions }: SearchDeps,
  collectionId: string,
  { query, topK, minScore = 0 }: Omit<SearchRequest, "collection">,
  signal: AbortSignal,
): Promise<Passage[]> {
  const [embedding = []] = await embedder.embed([query], signal);
  for (let limit = topK; ; limit *= LIMIT_FACTOR) {
    const candidates = await store.query(collectionId, embedding, Math.min(limit, MAX_CANDIDATES), signal);
    // A chunk that has nothing in common with the query is no passage, even if there is no other.
    const near = candidates.filter(({ score }) => score > 0 && score >= minScore);
    const versions = await currentVersions([...new Set(near.map(({ documentId }) => documentId))]);
    const current = near.filter(({ documentId, version }) => versions.get(documentId) === version);
    const isAll = near.length < limit || limit >= MAX_CANDIDATES;
    if (current.length >= topK || isAll) return current.slice(0, topK).map(toPassage);
  }
}

/** The text that is embedded for a chunk. Often only its headings or the document's name say what it is about. */
export const textToEmbed = ({
  source,
  heading,
  content,
}: Pick<StoredChunk, "source" | "heading" | "content">): string =>
  [source, heading, content].filter((part) => part !== "").join("\n");

const toPassage = ({ documentId, source, heading, content, position, score }: FoundChunk): Passage => ({
  document_id: documentId,
  source,
  heading,
  content,
  position,
  score,
});
