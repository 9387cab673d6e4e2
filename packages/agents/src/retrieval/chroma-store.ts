/**
 * The vector store on Chroma. The platform computes all vectors, Chroma compares them by their cosine. A request
 * without an answer fails with `vector_store_unavailable`: soon if Chroma is silent, later if it is busy.
 */
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import { ChromaClient, ChromaClientError, ChromaNotFoundError, ChromaValueError } from "chromadb";
import { askPatiently } from "./ask-patiently.ts";
import { createKeptValues } from "./kept-values.ts";
import type { EmbeddedChunk, FoundChunk, StoredChunk, VectorStore } from "./vector-store.ts";

const REQUEST_TIMEOUT_MS = 10 * SECOND;
/**
 * How long a request may take while Chroma answers others. Chroma indexes one batch after the other and does not stop
 * when its client gives up, so a request that is repeated after a short time only doubles what waits there.
 */
const BUSY_TIMEOUT_MS = { write: 60 * SECOND, read: 10 * SECOND } as const;
/** Contents per request. */
const PAGE = 1_000;
/** Chunks per request: keeps a request far below the server's size limit, even with the longest embeddings. */
const MAX_BATCH = 100;

/**
 * With Chroma's default values a search misses near-duplicates, and more so after deletions, because the index graph
 * splits into parts that a search does not leave. These values find more, for about twice the time to store.
 */
const INDEX = { space: "cosine", max_neighbors: 32, ef_construction: 128, ef_search: 400 } as const;

/** For how long a collection counts as made, and how many are known. */
const KEPT = { most: 1_000, ms: 30 * SECOND } as const;

/** A collection as Chroma knows it. */
type Opened = { readonly id: string; readonly batchSize: number };

/** What is stored beside a chunk's text. */
type Metadata = { document_id: string; version: string; source: string; heading: string; position: number };

export type ChromaStoreOptions = {
  /** `http://host:port` */
  readonly url: string;
  /** Headers of every request. Default: none. */
  readonly headers?: Readonly<Record<string, string>>;
  /** How long Chroma may be silent during a request, ms; a call may make several. Default: 10 s. */
  readonly requestTimeoutMs?: number;
};

export function createChromaStore(options: ChromaStoreOptions): VectorStore {
  const { url, headers = {}, requestTimeoutMs = REQUEST_TIMEOUT_MS } = options;
  const { protocol, hostname, port } = new URL(url);
  const ssl = protocol === "https:";
  const server = { host: hostname, port: Number(port) || (ssl ? 443 : 80), ssl, headers: { ...headers } };

  /** The package takes a signal per client only; a client is cheap and holds nothing. */
  const clientFor = (signal: AbortSignal) => new ChromaClient({ ...server, fetchOptions: { signal } });

  /** One request with its time limits. */
  const ask = async <T>(
    kind: keyof typeof BUSY_TIMEOUT_MS,
    signal: AbortSignal,
    request: (client: ChromaClient) => Promise<T>,
  ): Promise<T> => {
    const limits = { silentMs: requestTimeoutMs, busyMs: BUSY_TIMEOUT_MS[kind] };
    const ping = (bound: AbortSignal) => clientFor(bound).heartbeat();
    try {
      return await askPatiently(limits, signal, ping, (bounded) => request(clientFor(bounded)));
    } catch (error) {
      signal.throwIfAborted();
      if (isOfAnotherLength(error)) throw new PlatformError("embedding_mismatch", { cause: error });
      // An error that the server answers with is not retryable: the same request would get the same answer.
      const isAnswer = [ChromaNotFoundError, ChromaClientError, ChromaValueError].some((kind) => error instanceof kind);
      throw isAnswer ? error : new PlatformError("vector_store_unavailable", { cause: error });
    }
  };

  /** Three requests, so what they say is kept for a while: as many as the chunks of a small document take. */
  const opened = createKeptValues<Opened>(KEPT);
  /** For searches: to ask for a collection's id takes as long as the search, while Chroma is busy with a write. */
  const ids = createKeptValues<string>(KEPT);

  async function open(collectionId: string, signal: AbortSignal): Promise<Opened> {
    const known = opened.find(collectionId);
    if (known !== undefined) return known;
    const now = await ask("write", signal, async (client) => {
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
    opened.keep(collectionId, now);
    return now;
  }

  /** Chroma takes milliseconds per chunk: a large document at once would keep all others waiting. */
  async function deleteBatch(collectionId: string, documentId: string, signal: AbortSignal): Promise<boolean> {
    const where = { document_id: documentId };
    const deleted = ask("write", signal, async (client): Promise<number> => {
      const collection = await client.getCollection({ name: collectionId });
      const { ids } = await collection.get({ where, limit: MAX_BATCH, include: [] });
      if (ids.length > 0) await collection.delete({ ids });
      return ids.length;
    });
    return (await unlessMissing(deleted, 0)) === MAX_BATCH;
  }

  return {
    async upsert(collectionId, chunks, signal) {
      const { id, batchSize } = await open(collectionId, signal);
      for (let at = 0; at < chunks.length; at += batchSize) {
        const records = toRecords(chunks.slice(at, at + batchSize));
        try {
          await ask("write", signal, (client) => client.collection(id).upsert(records));
        } catch (error) {
          opened.forget(collectionId);
          // The collection was deleted between two batches. The error is retryable, and the retry creates it anew.
          throw error instanceof ChromaNotFoundError ? new PlatformError("vector_store_unavailable") : error;
        }
      }
    },

    async query(collectionId, embedding, limit, signal) {
      const search = (id: string) =>
        ask("read", signal, async (client) => {
          const collection = client.collection(id);
          const result = await collection.query<Metadata>({ queryEmbeddings: [[...embedding]], nResults: limit });
          return (result.rows()[0] ?? []).flatMap(toFoundChunk);
        });
      const known = ids.find(collectionId);
      // Missing by its id: the collection was deleted meanwhile, and perhaps made anew.
      const answer = known === undefined ? null : await unlessMissing(search(known), null);
      if (answer !== null) return answer;
      ids.forget(collectionId);
      const named = ask("read", signal, (client) => client.getCollection({ name: collectionId }));
      const id = (await unlessMissing(named, null))?.id;
      if (id === undefined) return [];
      ids.keep(collectionId, id);
      return unlessMissing(search(id), []);
    },

    async storedChunks(collectionId, documentId, signal) {
      const where = { document_id: documentId };
      const contents = new Map<string, string>();
      for (let page = PAGE; page === PAGE; ) {
        const found = ask("write", signal, async (client) => {
          const collection = await client.getCollection({ name: collectionId });
          return (await collection.get({ where, limit: PAGE, offset: contents.size, include: ["documents"] })).rows();
        });
        const rows = await unlessMissing(found, []);
        for (const { id, document } of rows) contents.set(id, document ?? "");
        page = rows.length;
      }
      return contents;
    },

    async chunksFrom(collectionId, documentId, { from, limit }, signal) {
      const inRange = [{ position: { $gte: from } }, { position: { $lt: from + limit } }];
      const found = ask("read", signal, async (client) => {
        const collection = await client.getCollection({ name: collectionId });
        const where = { $and: [{ document_id: documentId }, ...inRange] };
        return (await collection.get<Metadata>({ where, limit, include: ["documents", "metadatas"] })).rows();
      });
      const chunks = (await unlessMissing(found, [])).flatMap(toStoredChunk);
      return chunks.sort((a, b) => a.position - b.position);
    },

    deleteBatch,

    async deleteDocument(...document) {
      while (await deleteBatch(...document));
    },

    async deleteCollection(collectionId, signal) {
      opened.forget(collectionId);
      ids.forget(collectionId);
      const deleted = ask("write", signal, (client) => client.deleteCollection({ name: collectionId }));
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
  readonly document?: string | null | undefined;
  readonly metadata?: Metadata | null | undefined;
  readonly distance?: number | null;
};

function toFoundChunk(row: Row): FoundChunk[] {
  const { distance } = row;
  if (typeof distance !== "number") return [];
  return toStoredChunk(row).map((chunk) => ({ ...chunk, score: Math.min(1, Math.max(0, 1 - distance)) }));
}

function toStoredChunk({ id, document, metadata }: Row): StoredChunk[] {
  if (typeof document !== "string" || !metadata) return [];
  const { document_id: documentId, version, source, heading, position } = metadata;
  return [{ id, documentId, version, source, heading, position, content: document }];
}

/** The server's only sign of vectors that the collection cannot hold, such as those of a model that has changed. */
const isOfAnotherLength = (error: unknown): boolean =>
  error instanceof ChromaClientError && error.message.includes("with dimension of");
