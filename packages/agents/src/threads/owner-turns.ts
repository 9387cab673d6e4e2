/**
 * What waits, in turns by owner: the owner of whom least is under way is next, and among equals the one whose turn
 * ended, or who came, longest ago. So however much one owner lets wait, another owner's first piece of work waits for
 * none of it.
 */

type Line<Item> = { readonly waiting: Item[]; underWay: number };

export type OwnerTurns<Item> = {
  readonly size: () => number;
  /** Beyond `maxWaiting`, the newest item of the owner with most of them gives way; it is returned. */
  add(owner: string, item: Item): Item | undefined;
  /** The item counts as under way until `done` is called for its owner. */
  next(): Item | undefined;
  done(owner: string): void;
  /** Takes an item that waits out of its line. */
  remove(owner: string, item: Item): void;
};

export function createOwnerTurns<Item>(maxWaiting: number): OwnerTurns<Item> {
  /** The owner whose turn ended, or who came, longest ago is first. */
  const lines = new Map<string, Line<Item>>();
  let size = 0;

  function moveBack(owner: string, line: Line<Item>): void {
    lines.delete(owner);
    lines.set(owner, line);
  }

  function forgetEmpty(owner: string, { waiting, underWay }: Line<Item>): void {
    if (waiting.length === 0 && underWay === 0) lines.delete(owner);
  }

  function longest(): Line<Item> | undefined {
    return [...lines.values()].reduce((most, line) => (line.waiting.length > most.waiting.length ? line : most));
  }

  return {
    size: () => size,
    add(owner, item) {
      const line = lines.get(owner) ?? { waiting: [], underWay: 0 };
      lines.set(owner, line);
      line.waiting.push(item);
      size += 1;
      if (size <= maxWaiting) return undefined;
      size -= 1;
      return longest()?.waiting.pop();
    },
    next() {
      let first: readonly [string, Line<Item>] | undefined;
      for (const entry of lines) {
        const [, { waiting, underWay }] = entry;
        if (waiting.length > 0 && (first === undefined || underWay < first[1].underWay)) first = entry;
      }
      if (first === undefined) return undefined;
      const [owner, line] = first;
      moveBack(owner, line);
      line.underWay += 1;
      size -= 1;
      return line.waiting.shift();
    },
    done(owner) {
      const line = lines.get(owner);
      if (line === undefined) return;
      line.underWay -= 1;
      moveBack(owner, line);
      forgetEmpty(owner, line);
    },
    remove(owner, item) {
      const line = lines.get(owner);
      const at = line?.waiting.indexOf(item) ?? -1;
      if (line === undefined || at < 0) return;
      line.waiting.splice(at, 1);
      size -= 1;
      forgetEmpty(owner, line);
    },
  };
}
