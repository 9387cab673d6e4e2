/** A model and an embedder whose provider is opened when they are first used. */
import type { Embedder } from "./embedder.ts";
import type { Model, ModelChunk, ModelRequest, ModelTurn } from "./model.ts";

export function createLazyModel(open: () => Promise<Model>): Model {
  let opened: Model | undefined;
  async function* first(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelChunk, ModelTurn> {
    opened = await open();
    signal.throwIfAborted();
    return yield* opened.stream(request, signal);
  }
  // Later turns have no generator more than the model's own.
  return {
    stream: (request, signal) => (opened === undefined ? first(request, signal) : opened.stream(request, signal)),
  };
}

export const createLazyEmbedder = (name: string, open: () => Promise<Embedder>): Embedder => ({
  name,
  async embed(texts, signal) {
    const opened = await open();
    signal.throwIfAborted();
    return opened.embed(texts, signal);
  },
});
