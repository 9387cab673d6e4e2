/** What is acquired pushes its release; release runs once, last in first out, and one failure keeps none from the rest. */
export type Releasers = {
  add(name: string, release: () => unknown): void;
  release(): Promise<void>;
};

export function createReleasers(onError: (name: string, error: unknown) => void): Releasers {
  const stack: { name: string; release: () => unknown }[] = [];
  return {
    add: (name, release) => void stack.push({ name, release }),
    async release() {
      for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
        try {
          await top.release();
        } catch (error) {
          onError(top.name, error);
        }
      }
    },
  };
}
