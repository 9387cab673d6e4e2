/**
 * Searches an owner's sessions for a text, newest first. No index serves it: one of trigrams finds no word of two
 * Chinese characters, and every message would pay for it. So messages are looked through, in slices between which other
 * requests run, and a page ends early, with a place where the next one goes on, when it has looked at enough.
 */
import { setImmediate } from "node:timers/promises";
import type { SessionRow } from "@agent-paas/shared/db/rows.ts";
import { cutText } from "@agent-paas/shared/text.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import type { Page } from "./session-reader.ts";
import type { Candidate, Hit, SearchReader } from "./session-search-reader.ts";

export type SearchBounds = {
  /** Messages that one page looks at, and sessions without any. */
  readonly lookedAt: number;
  /** The newest messages of one session that are looked at. */
  readonly perSession: number;
  /** Messages in one read of the database; those of 1 KB take it about 3 ms. */
  readonly slice: number;
  /** How long a page is looked for, ms; at least one slice. */
  readonly withinMs: number;
};

const BOUNDS: SearchBounds = { lookedAt: 20_000, perSession: 2_000, slice: 200, withinMs: 2 * SECOND };

/** Sessions in one read. */
const CANDIDATES = 100;
/** Longest excerpt, characters. */
const MAX_MATCH = 160;
/** How many of them stand before the hit. */
const BEFORE_HIT = 40;

export type Match = {
  readonly row: SessionRow;
  /** The text around the newest hit; null: the title has it. */
  readonly match: string | null;
};

export type SearchPage = {
  readonly matches: readonly Match[];
  /** The id before which the next page begins; null: no session is left. */
  readonly next: string | null;
  /** False: the page has ended before it was full, or a session has more messages than were looked at. */
  readonly isComplete: boolean;
};

type Found = { readonly row: SessionRow; readonly hit: Hit | null };

export type SearchOptions = Page & { readonly signal?: AbortSignal; readonly bounds?: SearchBounds };

export type SearchSessions = ReturnType<typeof createSearchSessions>;

/** An owner's searches run one after the other: many at once take no more from other owners than one. */
export function createSearchSessions(search: SearchReader) {
  const latest = new Map<string, Promise<unknown>>();
  return function searchSessions(owner: string, wanted: string, options: SearchOptions): Promise<SearchPage> {
    const giveUpAt = performance.now() + (options.bounds ?? BOUNDS).withinMs;
    const page = (latest.get(owner) ?? Promise.resolve()).then(() =>
      lookThrough(search, owner, wanted, giveUpAt, options),
    );
    const settled = page
      .catch(() => {})
      .then(() => {
        if (latest.get(owner) === settled) latest.delete(owner);
      });
    latest.set(owner, settled);
    return page;
  };
}

async function lookThrough(
  search: SearchReader,
  owner: string,
  wanted: string,
  giveUpAt: number,
  { limit, before, signal, bounds = BOUNDS }: SearchOptions,
): Promise<SearchPage> {
  const text = inLowerCase(wanted);
  const found: Found[] = [];
  let [left, isComplete, next] = [bounds.lookedAt, true, before];
  const isOver = () => next !== before && (left <= 0 || performance.now() > giveUpAt || signal?.aborted === true);

  const page = async (isLast: boolean): Promise<SearchPage> => {
    const hits = found.flatMap(({ hit }) => hit ?? []);
    const excerpts = await search.excerpts(hits, text);
    const matches = found.map(({ row, hit }) => ({
      ...{ row, match: hit === null ? null : excerptOf(excerpts.get(row.id) ?? "", text) },
    }));
    return { matches, next: isLast ? null : (next ?? null), isComplete };
  };

  for (;;) {
    const candidates = await search.candidates(owner, { limit: CANDIDATES, before: next });
    await setImmediate();
    for (const group of groupsOf(candidates, bounds)) {
      if (isOver()) {
        isComplete = false;
        return page(false);
      }
      const hits = await hitsIn(search, group, text, bounds);
      for (const row of group) {
        next = row.id;
        left -= costOf(row, bounds);
        const hit = hits.get(row.id) ?? null;
        const isTitled = inLowerCase(row.title ?? "").includes(text);
        if (isTitled || hit !== null) found.push({ row, hit: isTitled ? null : hit });
        else if (Number(row.last) > bounds.perSession) isComplete = false;
        if (found.length === limit) return page(false);
      }
    }
    if (candidates.length < CANDIDATES) return page(true);
  }
}

const costOf = ({ last }: Candidate, { perSession }: SearchBounds): number =>
  Math.max(1, Math.min(Number(last), perSession));

/** Neighbours whose messages are one slice together; a session with more stands alone. */
function groupsOf(candidates: readonly Candidate[], bounds: SearchBounds): Candidate[][] {
  const groups: Candidate[][] = [];
  let room = 0;
  for (const one of candidates) {
    const cost = costOf(one, bounds);
    if (cost > room) {
      groups.push([]);
      room = bounds.slice;
    }
    groups.at(-1)?.push(one);
    room -= cost;
  }
  return groups;
}

async function hitsIn(
  search: SearchReader,
  group: readonly Candidate[],
  text: string,
  { perSession, slice }: SearchBounds,
): Promise<ReadonlyMap<string, Hit>> {
  const ids = group.map(({ id }) => id);
  const last = Math.max(...group.map((one) => Number(one.last)));
  for (let upTo = last; upTo > Math.max(0, last - perSession); upTo -= slice) {
    const hits = await search.hits(ids, text, Math.max(upTo - slice, last - perSession), upTo);
    await setImmediate();
    if (hits.length > 0) return new Map(hits.map((hit) => [hit.session_id, hit]));
  }
  return new Map();
}

/** As the databases do it: of letters beyond ASCII only the same case is found. */
const inLowerCase = (text: string): string => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());

/** One line. */
function excerptOf(content: string, text: string): string {
  const line = content.replace(/\s+/g, " ").trim();
  const at = inLowerCase(line).indexOf(inLowerCase(text).replace(/\s+/g, " ").trim());
  const start = Math.max(0, at - BEFORE_HIT);
  const shown = start === 0 ? line : `…${line.slice(start + 1)}`;
  return (shown.length <= MAX_MATCH ? shown : `${cutText(shown, MAX_MATCH - 1)}…`).toWellFormed();
}
