/** Releasers undo acquisitions: each runs once, last in first out. A releaser that fails does not stop the others. */
export type Releasers = {
  /** `name` identifies the releaser in error reports. */
  add(name: string, release: () => unknown): void;
  /** Runs all releasers. Never rejects: failures go to `onError`. */
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
