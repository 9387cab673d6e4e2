import { expect, test } from "vitest";
import { createSearchSessions } from "./session-search.ts";
import type { Candidate, SearchReader } from "./session-search-reader.ts";

const BOUNDS = { lookedAt: 1_000, perSession: 100, slice: 16, withinMs: 60_000 };

/** SQLite blocks the thread that reads. */
const NOBODY_WAKES = new Int32Array(new SharedArrayBuffer(4));

/** A session of a hundred messages, each read of which takes so long; `asked` are the messages that were read. */
function longSession(readMs: number) {
  const row = { id: "s", created_at: "2026", owner: "o", agent_type: "a", config: "{}", metadata: "{}", title: null };
  const candidate: Candidate = { ...row, updated_at: "2026", last: 100 };
  const asked: number[] = [];
  const reader: SearchReader = {
    candidates: async () => [candidate],
    hits: async () => [],
    slice: async (_session, _text, before, limit) => {
      asked.push(limit - 1);
      Atomics.wait(NOBODY_WAKES, 0, 0, readMs);
      const newest = Math.min(100, before - 1);
      return Array.from({ length: Math.min(limit, newest) }, (_, at) => ({ ordinal: newest - at, is_hit: 0 }));
    },
    excerpts: async () => new Map(),
  };
  return { asked, search: createSearchSessions(reader) };
}

test("a read that takes long is followed by smaller ones", async () => {
  const { asked, search } = longSession(25);
  const { isComplete, next } = await search("o", "text", { limit: 5, bounds: { ...BOUNDS, perSession: 30 } });
  expect([asked, isComplete, next]).toEqual([[16, 8, 4, 2], false, null]);
});

test("a page whose time is over leaves a long session early, and says so", async () => {
  const { asked, search } = longSession(0);
  const { isComplete } = await search("o", "text", { limit: 5, bounds: { ...BOUNDS, withinMs: 0 } });
  expect([asked, isComplete]).toEqual([[16], false]);
});
