/**
 * The vector store on Chroma. The platform computes all vectors, Chroma compares them by their cosine. A request
 * without an answer in time fails with `vector_store_unavailable`.
 */
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import { ChromaClient, ChromaClientError, ChromaNotFoundError, ChromaValueError } from "chromadb";
import type { EmbeddedChunk, FoundChunk, VectorStore } from "./vector-store.ts";

const REQUEST_TIMEOUT_MS = 10 * SECOND;
/** Chunks per request: keeps a request far below the server's size limit, even with the longest embeddings. */
const MAX_BATCH = 100;

/**
 * With Chroma's default values a search misses near-duplicates, and more so after deletions, because the index graph
 * splits into parts that a search does not leave. These values find more, for about twice the time to store.
 */
const INDEX = { space: "cosine", max_neighbors: 32, ef_construction: 128, ef_search: 400 } as const;

/** What is stored beside a chunk's text. */
type Metadata = { document_id: string; version: string; source: string; heading: string; position: number };

export type ChromaStoreOptions = {
  /** `http://host:port` */
  readonly url: string;
  /** Headers of every request. Default: none. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Time limit of one request, ms; a call may make several. Default: 10 s. */
  readonly requestTimeoutMs?: number;
};

export function createChromaStore(options: ChromaStoreOptions): VectorStore {
  const { url, headers = {}, requestTimeoutMs = REQUEST_TIMEOUT_MS } = options;
  const { protocol, hostname, port } = new URL(url);
  const ssl = protocol === "https:";
  const server = { host: hostname, port: Number(port) || (ssl ? 443 : 80), ssl, headers: { ...headers } };

  /** One request with a time limit. The package takes a signal per client only; a client is cheap and holds nothing. */
  const ask = async <T>(signal: AbortSignal, request: (client: ChromaClient) => Promise<T>): Promise<T> => {
    const bounded = AbortSignal.any([signal, AbortSignal.timeout(requestTimeoutMs)]);
    try {
      return await request(new ChromaClient({ ...server, fetchOptions: { signal: bounded } }));
    } catch (error) {
      signal.throwIfAborted();
      // An error that the server answers with is not retryable: the same request would get the same answer.
      const isAnswer = [ChromaNotFoundError, ChromaClientError, ChromaValueError].some((kind) => error instanceof kind);
      throw isAnswer ? error : new PlatformError("vector_store_unavailable", { cause: error });
    }
  };

  return {
    async upsert(collectionId, chunks, signal) {
      const { id, batchSize } = await ask(signal, async (client) => {
        const collection = await client.getOrCreateCollection({
          name: collectionId,
          configuration: { hnsw: INDEX },
          embeddingFunction: null,
        });
        // Chroma begins to index while it stores only after a first read; without it the first deletion indexes
        // everything.
        await collection.count();
        return { id: collection.id, batchSize: Math.min(MAX_BATCH, await client.getMaxBatchSize()) };
      });
      for (let at = 0; at < chunks.length; at += batchSize) {
        const records = toRecords(chunks.slice(at, at + batchSize));
        try {
          await ask(signal, (client) => client.collection(id).upsert(records));
        } catch (error) {
          // The collection was deleted between two batches. The error is retryable, and the retry creates it anew.
          throw error instanceof ChromaNotFoundError ? new PlatformError("vector_store_unavailable") : error;
        }
      }
    },

    async query(collectionId, embedding, limit, signal) {
      const found = ask(signal, async (client) => {
        const collection = await client.getCollection({ name: collectionId });
        const result = await collection.query<Metadata>({ queryEmbeddings: [[...embedding]], nResults: limit });
        return (result.rows()[0] ?? []).flatMap(toFoundChunk);
      });
      return unlessMissing(found, []);
    },

    // In batches, because Chroma takes milliseconds per chunk: a large document would exceed the limit of one request.
    async deleteDocument(collectionId, documentId, signal) {
      const where = { document_id: documentId };
      const deleteSome = async (client: ChromaClient): Promise<number> => {
        const collection = await client.getCollection({ name: collectionId });
        const { ids } = await collection.get({ where, limit: MAX_BATCH, include: [] });
        if (ids.length > 0) await collection.delete({ ids });
        return ids.length;
      };
      while ((await unlessMissing(ask(signal, deleteSome), 0)) === MAX_BATCH);
    },

    async deleteCollection(collectionId, signal) {
      const deleted = ask(signal, (client) => client.deleteCollection({ name: collectionId }));
      await unlessMissing(deleted, undefined);
    },
  };
}

const unlessMissing = <T>(answer: Promise<T>, instead: T): Promise<T> =>
  answer.catch((error: unknown) => {
    if (error instanceof ChromaNotFoundError) return instead;
    throw error;
  });

/** `toWellFormed`: Chroma refuses text with half a surrogate pair. */
const toRecords = (chunks: readonly EmbeddedChunk[]) => ({
  ids: chunks.map(({ id }) => id),
  embeddings: chunks.map(({ embedding }) => [...embedding]),
  documents: chunks.map(({ content }) => content.toWellFormed()),
  metadatas: chunks.map(
    ({ documentId, version, source, heading, position }): Metadata => ({
      document_id: documentId,
      version,
      source: source.toWellFormed(),
      heading: heading.toWellFormed(),
      position,
    }),
  ),
});

type Row = {
  readonly id: string;
  readonly document?: string | null;
  readonly metadata?: Metadata | null;
  readonly distance?: number | null;
};

function toFoundChunk({ id, document, metadata, distance }: Row): FoundChunk[] {
  if (typeof document !== "string" || !metadata || typeof distance !== "number") return [];
  const { document_id: documentId, version, source, heading, position } = metadata;
  const score = Math.min(1, Math.max(0, 1 - distance));
  return [{ id, documentId, version, source, heading, position, content: document, score }];
}
