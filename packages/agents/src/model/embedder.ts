/** The embedder port: turns texts into vectors, one way for all texts of a collection. */
export type Embedder = {
  /** What a collection remembers, so that no two ways are mixed: `local-hash-…`, or the provider's name of its model. */
  readonly name: string;
  /** One vector of length 1 per text, in their order. Throws a `model_*` `PlatformError` when a provider fails. */
  embed(texts: readonly string[], signal: AbortSignal): Promise<number[][]>;
};
