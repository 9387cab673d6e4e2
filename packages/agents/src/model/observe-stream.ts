/**
 * A stream of the model that somebody listens to. Not a generator around the other: that would cost several promises
 * per token, and this costs one.
 */
import type { ModelChunk, ModelTurn } from "./model.ts";

type ModelStream = AsyncGenerator<ModelChunk, ModelTurn>;

type Result = IteratorResult<ModelChunk, ModelTurn>;

/**
 * `begin` is called when the first piece is asked for. `observe` is told each piece and the turn before the reader gets
 * it; what it throws ends the stream and closes the one below.
 */
export function observeStream(begin: () => ModelStream, observe: (result: Result) => void): ModelStream {
  let below: ModelStream | null = null;
  let isOver = false;

  const onResult = (result: Result): Result | Promise<Result> => {
    if (isOver) return result;
    isOver = result.done === true;
    try {
      observe(result);
      return result;
    } catch (error) {
      return fail(error);
    }
  };

  async function close(): Promise<void> {
    isOver = true;
    await below?.return(undefined as never);
  }

  async function fail(error: unknown): Promise<never> {
    await close();
    throw error;
  }

  return {
    next() {
      try {
        below ??= begin();
      } catch (error) {
        return fail(error);
      }
      return below.next().then(onResult);
    },
    async return(value) {
      await close();
      return { done: true, value: await value };
    },
    throw: fail,
    [Symbol.asyncIterator]() {
      return this;
    },
    [Symbol.asyncDispose]: close,
  };
}
