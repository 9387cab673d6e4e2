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
  /** Most messages in one read of the database; those of 1 KB take it about 3 ms. */
  readonly slice: number;
  /** How long a page is looked for, ms; at least one slice. */
  readonly withinMs: number;
};

const BOUNDS: SearchBounds = { lookedAt: 20_000, perSession: 2_000, slice: 200, withinMs: 2 * SECOND };

/** A read that takes longer is followed by a smaller one, ms. */
const LONG_READ_MS = 20;

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
  const slices = new Slices(bounds.slice);
  let left = bounds.lookedAt;
  let isComplete = true;
  let last: SessionRow | null = null;
  const isTimeOver = () => performance.now() > giveUpAt || signal?.aborted === true;

  const page = async (isLast: boolean): Promise<SearchPage> => {
    const hits = found.flatMap(({ hit }) => hit ?? []);
    const excerpts = await search.excerpts(hits, text);
    const matches = found.map(({ row, hit }) => ({
      ...{ row, match: hit === null ? null : excerptOf(excerpts.get(row.id) ?? "", text) },
    }));
    return { matches, next: isLast ? null : (last?.id ?? before ?? null), isComplete };
  };
  const endEarly = () => {
    isComplete = false;
    return page(false);
  };

  for (;;) {
    // By its place: the last one may have been deleted meanwhile.
    const candidates = await search.candidates(owner, { limit: CANDIDATES, before: last ?? before });
    await setImmediate();
    for (const group of groupsOf(candidates, bounds, slices)) {
      if (last !== null && (left <= 0 || isTimeOver())) return endEarly();
      const looked = await lookAt(search, group, text, bounds, slices, isTimeOver);
      // The next page looks at it from its beginning; a page's first session goes no further.
      if (looked.isCutShort && last !== null) return endEarly();
      left -= looked.cost;
      for (const row of group) {
        last = row;
        const hit = looked.hits.get(row.id) ?? null;
        const isTitled = inLowerCase(row.title ?? "").includes(text);
        if (isTitled || hit !== null) found.push({ row, hit: isTitled ? null : hit });
        else if (!looked.isWhole) isComplete = false;
        if (found.length === limit) return page(false);
      }
    }
    if (candidates.length < CANDIDATES) return page(true);
  }
}

/** How many messages one read takes: fewer after one that took long, because messages may be large. */
class Slices {
  size: number;
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
    this.size = most;
  }

  async read<Found>(look: () => Promise<Found>): Promise<Found> {
    const begun = performance.now();
    const found = await look();
    const isLong = performance.now() - begun > LONG_READ_MS;
    this.size = isLong ? Math.ceil(this.size / 2) : Math.min(this.#most, this.size * 2);
    await setImmediate();
    return found;
  }
}

/** No fewer than the messages that are looked at. */
const costOf = ({ last }: Candidate, { perSession }: SearchBounds): number =>
  Math.max(1, Math.min(Number(last), perSession));

/** Neighbours whose messages are one slice together; a session with more stands alone. */
function* groupsOf(candidates: readonly Candidate[], bounds: SearchBounds, slices: Slices): Generator<Candidate[]> {
  let group: Candidate[] = [];
  let room = slices.size;
  for (const one of candidates) {
    const cost = costOf(one, bounds);
    if (cost > room && group.length > 0) {
      yield group;
      group = [];
      room = slices.size;
    }
    group.push(one);
    room -= cost;
  }
  if (group.length > 0) yield group;
}

type LookedAt = {
  readonly hits: ReadonlyMap<string, Hit>;
  /** Messages, and sessions without any. */
  readonly cost: number;
  /** False: older messages were left out, because of their number or of the time. */
  readonly isWhole: boolean;
  readonly isCutShort: boolean;
};

async function lookAt(
  search: SearchReader,
  group: readonly Candidate[],
  text: string,
  bounds: SearchBounds,
  slices: Slices,
  isTimeOver: () => boolean,
): Promise<LookedAt> {
  const ids = group.map(({ id }) => id);
  const [id = ""] = ids;
  if (ids.length === 1) return lookAtOne(search, id, text, bounds, slices, isTimeOver);
  const hits = await slices.read(() => search.hits(ids, text));
  const cost = group.reduce((sum, one) => sum + costOf(one, bounds), 0);
  return { hits: new Map(hits.map((hit) => [hit.session_id, hit])), cost, isWhole: true, isCutShort: false };
}

async function lookAtOne(
  search: SearchReader,
  session_id: string,
  text: string,
  { perSession }: SearchBounds,
  slices: Slices,
  isTimeOver: () => boolean,
): Promise<LookedAt> {
  let before = Number.MAX_SAFE_INTEGER;
  for (let looked = 0; ; ) {
    // One more than is looked at tells whether there are any.
    const most = Math.min(slices.size, perSession - looked);
    const rows = await slices.read(() => search.slice(session_id, text, before, most + 1));
    const hit = rows.slice(0, most).find(({ is_hit }) => Number(is_hit) === 1);
    looked += Math.min(rows.length, most);
    const isWhole = rows.length <= most;
    const isCutShort = hit === undefined && !isWhole && looked < perSession && isTimeOver();
    if (hit !== undefined || isWhole || looked >= perSession || isCutShort) {
      const hits = new Map(hit === undefined ? [] : [[session_id, { session_id, ordinal: Number(hit.ordinal) }]]);
      return { hits, cost: Math.max(1, looked), isWhole, isCutShort };
    }
    before = Number(rows[most - 1]?.ordinal);
  }
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
