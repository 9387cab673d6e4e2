/**
 * Reads several generators as one, in the order in which their values arrive. Sources may be added while it is read.
 * It holds at most one value of each source: a source is pulled again when its value was taken and `next` is called.
 */
export type Arrival<Key, Value, Result> =
  | { readonly key: Key; readonly done: false; readonly value: Value }
  | { readonly key: Key; readonly done: true; readonly value: Result };

export type Merge<Key, Value, Result> = {
  /** The number of sources whose end `next` has not returned yet. */
  readonly size: number;
  add(key: Key, source: AsyncGenerator<Value, Result>): void;
  /**
   * Waits for the next value or end of any source. Rejects with what a source throws. Must not be called without one.
   */
  next(): Promise<Arrival<Key, Value, Result>>;
  /** Closes all sources and waits until they are closed. */
  close(): Promise<void>;
};

export function createMerge<Key, Value, Result>(): Merge<Key, Value, Result> {
  type Source = { readonly key: Key; readonly generator: AsyncGenerator<Value, Result> };
  type Settled = { readonly source: Source; readonly step: () => IteratorResult<Value, Result> };

  const sources = new Set<Source>();
  const arrived: Settled[] = [];
  let taken: Source | null = null;
  let wake = () => {};

  function pull(source: Source): void {
    const settle = (step: Settled["step"]) => {
      arrived.push({ source, step });
      wake();
    };
    source.generator.next().then(
      (step) => settle(() => step),
      (error: unknown) =>
        settle(() => {
          throw error;
        }),
    );
  }

  async function nextArrived(): Promise<Settled> {
    for (;;) {
      const settled = arrived.shift();
      if (settled !== undefined) return settled;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }

  return {
    get size() {
      return sources.size;
    },
    add(key, generator) {
      const source = { key, generator };
      sources.add(source);
      pull(source);
    },
    async next() {
      if (taken !== null) pull(taken);
      taken = null;
      const { source, step: read } = await nextArrived();
      const { key } = source;
      sources.delete(source);
      const step = read();
      if (step.done) return { key, done: true, value: step.value };
      sources.add(source);
      taken = source;
      return { key, done: false, value: step.value };
    },
    async close() {
      await Promise.allSettled([...sources].map(({ generator }) => generator.return(undefined as never)));
    },
  };
}
