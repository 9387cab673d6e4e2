/**
 * How many jobs of each owner this worker runs in one queue. Places are given out over all workers, so by chance one
 * worker may have more of an owner's jobs than its own part; if the others then died, nobody else would find a slot.
 */
export type OwnerSlots = {
  /**
   * Calls `work` with whether the owner has no more jobs here than one owner alone may have, this one included. They
   * count until `work` has settled.
   */
  during<T>(owner: string, work: (isWithinPart: boolean) => Promise<T>): Promise<T>;
};

/** @param own the slots of this worker that one owner alone may use. */
export function createOwnerSlots(own: number): OwnerSlots {
  const used = new Map<string, number>();

  return {
    async during(owner, work) {
      const count = (used.get(owner) ?? 0) + 1;
      used.set(owner, count);
      try {
        return await work(count <= own);
      } finally {
        const left = (used.get(owner) ?? 0) - 1;
        if (left > 0) used.set(owner, left);
        else used.delete(owner);
      }
    },
  };
}
