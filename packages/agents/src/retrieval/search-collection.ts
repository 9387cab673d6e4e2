/**
 * From a query to passages. The store may hold more than there is: leftovers of a document that was replaced or
 * deleted, and the first chunks of one that is being stored. Only chunks of a document's current version are passages.
 */
import type { Embedder } from "../model/embedder.ts";
import type { Passage, SearchRequest } from "./retriever.ts";
import type { FoundChunk, StoredChunk, VectorStore } from "./vector-store.ts";

/** How many more are asked for when too many of the found ones are not current. */
const MORE = 4;
const MAX_CANDIDATES = 1_000;

export type SearchDeps = {
  readonly store: VectorStore;
  readonly embedder: Embedder;
  /** Of the given documents those that exist, with the version that is current; one that is not whole yet has none. */
  readonly currentVersions: (documentIds: readonly string[]) => Promise<ReadonlyMap<string, string>>;
};

export async function searchCollection(
  { store, embedder, currentVersions }: SearchDeps,
  collectionId: string,
  { query, topK, minScore = 0 }: Omit<SearchRequest, "collection">,
  signal: AbortSignal,
): Promise<Passage[]> {
  const [embedding = []] = await embedder.embed([query], signal);
  for (let limit = topK; ; limit *= MORE) {
    const candidates = await store.query(collectionId, embedding, Math.min(limit, MAX_CANDIDATES), signal);
    // What has nothing in common with the query is no passage, however few there are.
    const near = candidates.filter(({ score }) => score > 0 && score >= minScore);
    const versions = await currentVersions([...new Set(near.map(({ documentId }) => documentId))]);
    const current = near.filter(({ documentId, version }) => versions.get(documentId) === version);
    const isAll = near.length < limit || limit >= MAX_CANDIDATES;
    if (current.length >= topK || isAll) return current.slice(0, topK).map(toPassage);
  }
}

/** What is embedded of a chunk: what it is about is often said by the headings above it, or the document's name. */
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
