/** The pages of a list that were seen, the newest first, as one list. */

export type PageOf<Item> = { readonly items: readonly Item[]; readonly next: string | null };

export type SeenPages<Item> = {
  /** Undefined before the first page. */
  readonly items: readonly Item[] | undefined;
  /** Where the page behind them begins; null: they are all. */
  readonly next: string | null;
  /** Why the last page did not come. */
  readonly error: unknown;
};

type WithId = { readonly id: string };

/** With the first page as it is now. What was seen before stays behind it. */
export function inFront<Item extends WithId>(seen: SeenPages<Item>, page: PageOf<Item>): SeenPages<Item> {
  const ids = new Set(page.items.map(({ id }) => id));
  const before = page.next === null ? [] : (seen.items ?? []);
  // What stood in front of the page's end and is not there any more has been deleted.
  const last = page.items.at(-1);
  const end = before.findIndex(({ id }) => id === last?.id);
  // What stands behind an end that was never seen is not known: it is read on from there anew.
  const isKnown = last === undefined || end !== -1;
  const older = isKnown ? before.slice(end + 1).filter(({ id }) => !ids.has(id)) : [];
  return { items: [...page.items, ...older], next: older.length === 0 ? page.next : seen.next, error: null };
}

/** With the page behind them. */
export function behind<Item extends WithId>(last: SeenPages<Item>, page: PageOf<Item>): SeenPages<Item> {
  const ids = new Set(page.items.map(({ id }) => id));
  const before = (last.items ?? []).filter(({ id }) => !ids.has(id));
  return { items: [...before, ...page.items], next: page.next, error: null };
}
