/** The product's own search, over a collection in a vector store. */
import type { Embedder } from "@agent-paas/agents/model/embedder.ts";
import { searchCollection, textToEmbed } from "@agent-paas/agents/retrieval/search-collection.ts";
import type { VectorStore } from "@agent-paas/agents/retrieval/vector-store.ts";
import { type QuestionSet, VERSION } from "./question-set.ts";
import type { Search } from "./rank.ts";

const BATCH = 64;
const { signal } = new AbortController();

export async function storeSet(store: VectorStore, collection: string, embedder: Embedder, { chunks }: QuestionSet) {
  for (let at = 0; at < chunks.length; at += BATCH) {
    const batch = chunks.slice(at, at + BATCH);
    const embeddings = await embedder.embed(batch.map(textToEmbed), signal);
    const embedded = batch.map((chunk, index) => ({ ...chunk, embedding: embeddings[index] ?? [] }));
    await store.upsert(collection, embedded, signal);
  }
}

export function searchOf(store: VectorStore, collection: string, embedder: Embedder, isHybrid: boolean): Search {
  const currentVersions = async (ids: readonly string[]) => new Map(ids.map((id) => [id, VERSION]));
  return async (query, topK) => {
    const deps = { store, embedder, isHybrid, currentVersions };
    const passages = await searchCollection(deps, collection, { query, topK }, signal);
    return passages.map(({ document_id: documentId, heading }) => ({ documentId, heading }));
  };
}
