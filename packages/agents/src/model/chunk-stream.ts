/**
 * Streams of chunks that behave like generators and are none: each layer of a generator costs every token several turns
 * of the microtask queue, and a layer here costs one. `for await` and `yield*` read them as usual.
 */
import type { ModelChunk, ModelTurn } from "./model.ts";

export type ChunkStream = AsyncGenerator<ModelChunk, ModelTurn>;
type Step = IteratorResult<ModelChunk, ModelTurn>;

/** What a generator says when there is nothing more. */
const over = (): Step => ({ done: true, value: undefined as never });

/** `leave` is called when the reader leaves, before the end or after it, and again if it does so again. */
function asStream(next: () => Promise<Step>, leave: () => Promise<void>): ChunkStream {
  const stream: ChunkStream = {
    next,
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

/**
 * The stream that `begin` makes when its first chunk is asked for. `observe` is told each step before the reader gets
 * it; what it throws ends the stream and closes the one below. `onBreak` is called once when the stream fails, or its
 * reader leaves, before the end.
 */
export function observeChunks(
  begin: () => ChunkStream,
  observe: (step: Step) => void,
  onBreak: () => void = () => {},
): ChunkStream {
  let below: ChunkStream | null = null;
  let isOver = false;

  function breakOff(): void {
    if (isOver) return;
    isOver = true;
    onBreak();
  }

  async function leave(): Promise<void> {
    breakOff();
    await below?.return(undefined as never);
  }

  function failed(error: unknown): never {
    breakOff();
    throw error;
  }

  async function fail(error: unknown): Promise<never> {
    await leave();
    throw error;
  }

  function pass(step: Step): Step | Promise<Step> {
    if (isOver) return step;
    isOver = step.done === true;
    try {
      observe(step);
      return step;
    } catch (error) {
      return fail(error);
    }
  }

  const next = (): Promise<Step> => {
    try {
      below ??= begin();
    } catch (error) {
      return fail(error);
    }
    return below.next().then(pass, failed);
  };
  return asStream(next, leave);
}

/**
 * The stream that `begin` makes when its first chunk is asked for. While it has given nothing, a failure is handed to
 * `instead`, which gives another stream, or throws what the reader gets.
 */
export function replaceableChunks(begin: () => ChunkStream, instead: (error: unknown) => ChunkStream): ChunkStream {
  let below: ChunkStream | null = null;
  let hasBegun = false;
  let isOver = false;

  async function first(): Promise<Step> {
    below = begin();
    for (;;) {
      try {
        const step = await below.next();
        hasBegun = true;
        return step;
      } catch (error) {
        if (isOver) return over();
        below = instead(error);
      }
    }
  }

  async function leave(): Promise<void> {
    isOver = true;
    await below?.return(undefined as never);
  }

  const next = (): Promise<Step> => {
    if (isOver) return Promise.resolve(over());
    return hasBegun && below !== null ? below.next() : first();
  };
  return asStream(next, leave);
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
  /** The reader knows the end, or has left. */
  let isOver = false;

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
    const { resolve, reject } = waiter;
    waiter = null;
    settle(how, resolve, reject);
  }

  function settle(how: NonNullable<typeof end>, resolve: Waiter["resolve"], reject: Waiter["reject"]): void {
    isOver = true;
    if ("turn" in how) resolve({ done: true, value: how.turn });
    else reject(how.error);
  }

  function next(): Promise<Step> {
    if (isOver) return Promise.resolve(over());
    producing ??= produce(sink).then(
      (turn) => finish({ turn }),
      (error: unknown) => finish({ error }),
    );
    const chunk = take();
    if (chunk !== undefined) return Promise.resolve({ done: false, value: chunk });
    return new Promise((resolve, reject) => {
      if (end !== null) settle(end, resolve, reject);
      else waiter = { resolve, reject };
    });
  }

  async function leave(): Promise<void> {
    if (isOver) return;
    isOver = true;
    if (producing === null || end !== null) return;
    stop();
    await producing;
  }

  return asStream(next, leave);
}
