/** A list that is asked for page by page, the newest first. */
import { type Inputs, useCallback, useEffect, useRef, useState } from "preact/hooks";
import { noteRefusal } from "../state/connection.ts";
import { behind, inFront, type PageOf, type SeenPages as State } from "./seen-pages.ts";

export type Pages<Item> = {
  /** Undefined before the first page. */
  readonly items: readonly Item[] | undefined;
  readonly error: unknown;
  readonly hasMore: boolean;
  /** Whether `more` is under way. */
  readonly isLoading: boolean;
  more(): void;
  /** Asks for the first page anew, and puts what is new in front. */
  reload(): void;
  remove(id: string): void;
};

const NOTHING = { items: undefined, next: null, error: null };

export function usePages<Item extends { readonly id: string }>(
  load: (before: string | undefined, signal: AbortSignal) => Promise<PageOf<Item>>,
  inputs: Inputs,
): Pages<Item> {
  const [state, setState] = useState<State<Item>>(NOTHING);
  const [isLoading, setLoading] = useState(false);
  const left = useRef(new AbortController());
  const latest = useRef(load);
  latest.current = load;

  const ask = useCallback(async (before?: string) => {
    const { signal } = left.current;
    if (before !== undefined) setLoading(true);
    try {
      const page = await latest.current(before, signal);
      if (!signal.aborted) setState((last) => (before === undefined ? inFront(last, page) : behind(last, page)));
    } catch (error) {
      if (signal.aborted) return;
      noteRefusal(error);
      setState((last) => ({ ...last, error }));
    }
    if (before !== undefined && !signal.aborted) setLoading(false);
  }, []);

  useEffect(() => {
    left.current = new AbortController();
    setState(NOTHING);
    setLoading(false);
    void ask();
    return () => left.current.abort();
  }, inputs);

  const remove = useCallback((id: string) => {
    setState((last) => ({ ...last, items: last.items?.filter((item) => item.id !== id) }));
  }, []);

  const { items, next, error } = state;
  return {
    ...{ items, error, isLoading, remove },
    hasMore: next !== null,
    more: () => void ask(next ?? undefined),
    reload: () => void ask(),
  };
}
