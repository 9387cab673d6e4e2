/** Values by name, each for a while, and at most so many: the one goes first that was kept longest. */
export function createKeptValues<T>({ most, ms }: { readonly most: number; readonly ms: number }) {
  const kept = new Map<string, { readonly value: T; readonly until: number }>();
  return {
    find(name: string): T | undefined {
      const found = kept.get(name);
      return found !== undefined && performance.now() < found.until ? found.value : undefined;
    },
    keep(name: string, value: T): void {
      kept.delete(name);
      kept.set(name, { value, until: performance.now() + ms });
      const [oldest] = kept.keys();
      if (kept.size > most && oldest !== undefined) kept.delete(oldest);
    },
    forget(name: string): void {
      kept.delete(name);
    },
  };
}
