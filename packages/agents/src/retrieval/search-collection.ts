/**
 * Finds the passages for a query. The store may also hold chunks of documents that were replaced or deleted, and the
 * first chunks of a document that is being stored. Only chunks of a document's current version become passages.
 *
 * A hybrid search finds candidates by their vectors and puts them into order anew: by the terms that they share with
 * the query, and by their meaning if the embedding knows meanings.
 */
import type { Embedder, Probe } from "../model/embedder.ts";
import { scoreTerms } from "./exact-terms.ts";
import type { Passage, SearchRequest } from "./retriever.ts";
import type { FoundChunk, StoredChunk, VectorStore } from "./vector-store.ts";

/** The limit is multiplied by this when too few of the found chunks are current. */
const LIMIT_FACTOR = 4;
const MAX_CANDIDATES = 1_000;

/**
 * How many chunks a hybrid search puts into order, found by all probes together. With 60 the right passage of long
 * Chinese questions was missing more often; reading 120 takes some 30 ms.
 */
const HYBRID_CANDIDATES = 120;
/** How much of a hybrid score is the similarity of meaning; the rest is the share of terms. */
const MEANING_SHARE = 0.2;

export type SearchDeps = {
  readonly store: VectorStore;
  readonly embedder: Embedder;
  readonly isHybrid: boolean;
  /** The current versions of the given documents. Deleted and partly stored documents are missing from the map. */
  readonly currentVersions: (documentIds: readonly string[]) => Promise<ReadonlyMap<string, string>>;
};

type Scored = { readonly chunk: FoundChunk; readonly score: number };

export async function searchCollection(
  deps: SearchDeps,
  collectionId: string,
  { query, topK, minScore = 0 }: Omit<SearchRequest, "collection">,
  signal: AbortSignal,
): Promise<Passage[]> {
  const { embedder, isHybrid } = deps;
  const all = await (embedder.probes?.(query, signal) ?? ownProbe(embedder, query, signal));
  const probes = isHybrid ? all : all.slice(0, 1);
  const isWanted = ({ score }: Scored) => score > 0 && score >= minScore;
  const enough = isHybrid ? Math.max(topK, Math.ceil(HYBRID_CANDIDATES / probes.length)) : topK;
  const found = await Promise.all(
    probes.map((probe) =>
      findCurrent(deps, collectionId, probe, { enough, minScore: isHybrid ? 0 : minScore }, signal),
    ),
  );
  const scored = isHybrid ? await scoreHybrid(query, probes, found, signal) : (found[0] ?? []);
  return scored.filter(isWanted).sort(byScore).slice(0, topK).map(toPassage);
}

async function ownProbe(embedder: Embedder, query: string, signal: AbortSignal): Promise<Probe[]> {
  const [vector = []] = await embedder.embed([query], signal);
  return [{ of: "meaning", vector, scale: 1 }];
}

/** The current chunks that are nearest to the probe. `enough` of them, unless there are no more. */
async function findCurrent(
  { store, currentVersions }: SearchDeps,
  collectionId: string,
  { vector, scale }: Probe,
  { enough, minScore }: { readonly enough: number; readonly minScore: number },
  signal: AbortSignal,
): Promise<Scored[]> {
  for (let limit = enough; ; limit *= LIMIT_FACTOR) {
    const candidates = await store.query(collectionId, vector, Math.min(limit, MAX_CANDIDATES), signal);
    // A chunk that has nothing in common with the query is no passage, even if there is no other.
    const near = candidates
      .map((chunk) => ({ chunk, score: Math.min(1, chunk.score * scale) }))
      .filter(({ score }) => score > 0 && score >= minScore);
    const versions = await currentVersions([...new Set(near.map(({ chunk }) => chunk.documentId))]);
    const current = near.filter(({ chunk }) => versions.get(chunk.documentId) === chunk.version);
    const isAll = near.length < limit || limit >= MAX_CANDIDATES;
    if (current.length >= enough || isAll) return current.slice(0, enough);
  }
}

async function scoreHybrid(
  query: string,
  probes: readonly Probe[],
  found: readonly (readonly Scored[])[],
  signal: AbortSignal,
): Promise<Scored[]> {
  const chunks = [...new Map(found.flat().map(({ chunk }) => [chunk.id, chunk])).values()];
  const texts = chunks.map((chunk) => ({ text: textToEmbed(chunk), heading: chunk.heading }));
  const shares = await scoreTerms(query, texts, signal);
  const meaningAt = probes.findIndex((probe) => probe.of === "meaning");
  // A vector of terms says nothing that the terms themselves do not say better.
  if (meaningAt === -1) return chunks.map((chunk, at) => ({ chunk, score: shares[at] ?? 0 }));
  const byMeaning = found[meaningAt] ?? [];
  const meanings = new Map(byMeaning.map(({ chunk, score }) => [chunk.id, score]));
  // What only its terms have found is no nearer in meaning than the last that its meaning has found.
  const furthest = byMeaning.at(-1)?.score ?? 0;
  return chunks.map((chunk, at) => {
    const meaning = meanings.get(chunk.id) ?? furthest;
    return { chunk, score: MEANING_SHARE * meaning + (1 - MEANING_SHARE) * (shares[at] ?? 0) };
  });
}

/** Equal scores are in the order of documents, so that a search that is repeated finds the same. */
const byScore = (a: Scored, b: Scored) => b.score - a.score || compare(a.chunk.id, b.chunk.id);
const compare = (a: string, b: string) => (a < b ? -1 : Number(a > b));

/** The text that is embedded for a chunk. Often only its headings or the document's name say what it is about. */
export const textToEmbed = ({
  source,
  heading,
  content,
}: Pick<StoredChunk, "source" | "heading" | "content">): string =>
  [source, heading, content].filter((part) => part !== "").join("\n");

const toPassage = ({ chunk, score }: Scored): Passage => ({
  document_id: chunk.documentId,
  source: chunk.source,
  heading: chunk.heading,
  content: chunk.content,
  position: chunk.position,
  score,
});
