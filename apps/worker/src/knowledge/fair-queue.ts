/** Who waits in this process to write to the vector store: owners take turns, and within an owner the documents do. */

export type Turn = { readonly owner: string; readonly collectionId: string };

type Waiting = Turn & { readonly serve: () => Promise<void> };

export function createFairQueue() {
  /** By owner, the owner first who was served longest ago. A document waits once, behind the owner's others. */
  const owners = new Map<string, Waiting[]>();

  function remove(waiting: Waiting): void {
    const left = (owners.get(waiting.owner) ?? []).filter((other) => other !== waiting);
    if (left.length === 0) owners.delete(waiting.owner);
    else owners.set(waiting.owner, left);
  }

  /** All that wait, in the order in which they are to be served. */
  function* inOrder(): Generator<Waiting> {
    const lists = [...owners.values()];
    const longest = Math.max(0, ...lists.map(({ length }) => length));
    for (let at = 0; at < longest; at += 1) {
      for (const list of lists) if (list[at] !== undefined) yield list[at] as Waiting;
    }
  }

  return {
    get size(): number {
      return owners.size;
    },
    add(turn: Turn, serve: () => Promise<void>): { remove(): void } {
      const waiting: Waiting = { ...turn, serve };
      owners.set(turn.owner, [...(owners.get(turn.owner) ?? []), waiting]);
      return { remove: () => remove(waiting) };
    },
    /** The collections that somebody waits for, in order, each once. */
    collections: (): string[] => [...new Set(inOrder().map(({ collectionId }) => collectionId))],
    /** Takes the first that waits for the collection out of the queue; its owner is the last one now. */
    next(collectionId: string): Waiting | undefined {
      const first = inOrder().find((waiting) => waiting.collectionId === collectionId);
      if (first === undefined) return undefined;
      remove(first);
      const left = owners.get(first.owner);
      owners.delete(first.owner);
      if (left !== undefined) owners.set(first.owner, left);
      return first;
    },
  };
}
