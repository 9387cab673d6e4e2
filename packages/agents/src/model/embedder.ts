/** The embedder port: turns texts into vectors. All texts of a collection must go through the same embedder. */
export type Embedder = {
  /** Stored with a collection, which refuses any other: `local-hash-…`, or begins with the provider's model. */
  readonly name: string;
  /** One vector of length 1 per text, in their order. Throws a `PlatformError` with a `model_*` code. */
  embed(texts: readonly string[], signal: AbortSignal): Promise<number[][]>;
  /** The vectors to search the collection with. Default: the query's own, which compares meanings. */
  readonly probes?: (query: string, signal: AbortSignal) => Promise<Probe[]>;
  /** The embedder for a collection of another name, whose vectors it also can make. Default: there is none. */
  readonly reads?: (name: string) => Embedder | undefined;
};

/** A vector that finds chunks, by what they mean or by the terms they contain. */
export type Probe = {
  readonly of: "meaning" | "terms";
  readonly vector: readonly number[];
  /** The score that the vector store finds, multiplied by this, is the cosine of what is compared. */
  readonly scale: number;
};
