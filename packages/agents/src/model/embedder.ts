/** The embedder port: turns texts into vectors. All texts of a collection must go through the same embedder. */
export type Embedder = {
  /** Stored with a collection, which refuses any other: `local-hash-…`, or the provider's name of its model. */
  readonly name: string;
  /** One vector of length 1 per text, in their order. Throws a `PlatformError` with a `model_*` code. */
  embed(texts: readonly string[], signal: AbortSignal): Promise<number[][]>;
};
