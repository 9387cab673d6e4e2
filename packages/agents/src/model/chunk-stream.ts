/**
 * Streams of chunks as generators without a generator's machinery: each layer of one costs several turns of the
 * microtask queue for every token, which is most of what a token costs. `for await` and `yield*` read them as usual.
 */
import type { ModelChunk, ModelTurn } from "./model.ts";

export type ChunkStream = AsyncGenerator<ModelChunk, ModelTurn>;
type Step = IteratorResult<ModelChunk, ModelTurn>;

/** What a generator says when there is nothing more. */
const over = (): Step => ({ done: true, value: undefined as never });

/** `stop` is called once, when the reader leaves before the end. */
export function asChunkStream(next: () => Promise<Step>, stop: () => Promise<unknown>): ChunkStream {
  let hasEnded = false;

  async function leave(): Promise<void> {
    if (hasEnded) return;
    hasEnded = true;
    await stop();
  }

  const stream: ChunkStream = {
    async next() {
      if (hasEnded) return over();
      try {
        const step = await next();
        if (step.done) hasEnded = true;
        return step;
      } catch (error) {
        hasEnded = true;
        throw error;
      }
    },
    async return(value) {
      await leave();
      return { done: true, value: await value };
    },
    async throw(error) {
      await leave();
      throw error;
    },
    [Symbol.asyncIterator]: () => stream,
    [Symbol.asyncDispose]: leave,
  };
  return stream;
}

export type ChunkSink = {
  push(chunk: ModelChunk): void;
  /** Chunks that nobody has taken. */
  waiting(): number;
  /** Calls back once when all chunks have been taken. */
  onceTaken(callback: () => void): void;
};

type Waiter = { readonly resolve: (step: Step) => void; readonly reject: (error: unknown) => void };

/**
 * The stream of what `produce` pushes, which begins when the first chunk is asked for. A failure is told behind the
 * chunks before it. `stop` ends a production whose reader has left.
 */
export function produceChunks(produce: (sink: ChunkSink) => Promise<ModelTurn>, stop: () => void): ChunkStream {
  let queue: ModelChunk[] = [];
  let taken = 0;
  let waiter: Waiter | null = null;
  let onTaken: (() => void) | null = null;
  let producing: Promise<void> | null = null;
  let end: { readonly turn: ModelTurn } | { readonly error: unknown } | null = null;

  const sink: ChunkSink = {
    push(chunk) {
      if (waiter === null) {
        queue.push(chunk);
        return;
      }
      const { resolve } = waiter;
      waiter = null;
      resolve({ done: false, value: chunk });
    },
    waiting: () => queue.length - taken,
    onceTaken(callback) {
      onTaken = callback;
    },
  };

  function take(): ModelChunk | undefined {
    const chunk = queue[taken];
    if (chunk === undefined) return undefined;
    taken++;
    if (taken < queue.length) return chunk;
    queue = [];
    taken = 0;
    const callback = onTaken;
    onTaken = null;
    callback?.();
    return chunk;
  }

  function finish(how: NonNullable<typeof end>): void {
    end = how;
    if (waiter === null) return;
    if ("turn" in how) waiter.resolve({ done: true, value: how.turn });
    else waiter.reject(how.error);
    waiter = null;
  }

  return asChunkStream(
    () => {
      producing ??= produce(sink).then(
        (turn) => finish({ turn }),
        (error: unknown) => finish({ error }),
      );
      const chunk = take();
      if (chunk !== undefined) return Promise.resolve({ done: false, value: chunk });
      if (end !== null)
        return "turn" in end ? Promise.resolve({ done: true, value: end.turn }) : Promise.reject(end.error);
      return new Promise((resolve, reject) => {
        waiter = { resolve, reject };
      });
    },
    async () => {
      if (producing === null || end !== null) return;
      stop();
      await producing;
    },
  );
}
