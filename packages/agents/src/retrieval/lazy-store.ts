/** A vector store that is opened when it is first used. */
import type { VectorStore } from "./vector-store.ts";

/** @param open is called at each use. */
export const createLazyStore = (open: () => Promise<VectorStore>): VectorStore => ({
  upsert: async (...args) => (await open()).upsert(...args),
  query: async (...args) => (await open()).query(...args),
  storedChunks: async (...args) => (await open()).storedChunks(...args),
  chunksFrom: async (...args) => (await open()).chunksFrom(...args),
  deleteBatch: async (...args) => (await open()).deleteBatch(...args),
  deleteDocument: async (...args) => (await open()).deleteDocument(...args),
  deleteCollection: async (...args) => (await open()).deleteCollection(...args),
});
