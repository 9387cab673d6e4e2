/** Calls `work` for every item, at most `atOnce` at a time; the results are in the order of the items. */
export async function inParallel<T, R>(
  atOnce: number,
  items: readonly T[],
  work: (item: T, at: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = new Array(items.length);
  const rest = items.entries();
  async function lane(): Promise<void> {
    for (const [at, item] of rest) results[at] = await work(item, at);
  }
  await Promise.all(Array.from({ length: atOnce }, lane));
  return results;
}
