import { newId } from "@agent-paas/shared/ids.ts";
import { expect, test } from "vitest";
import { createSearchSessions, type SearchOptions } from "../../apps/api/src/storage/session-search.ts";
import { createSearchReader } from "../../apps/api/src/storage/session-search-reader.ts";
import { jobEnd } from "../support/job-end.ts";
import { jobPayload } from "../support/job-payload.ts";
import { type OpenStorage, openParts } from "./storage-parts.ts";

const BOUNDS = { lookedAt: 1_000, perSession: 1_000, slice: 10, withinMs: 60_000 };

/** Sessions of alice, oldest first: each a list of questions, all answered with "yes". */
async function openSearch(open: OpenStorage, ...sessions: readonly (readonly string[])[]) {
  const parts = await openParts(open);
  const ids: string[] = [];
  for (const [at, questions] of sessions.entries()) {
    const session_id = newId();
    ids.push(session_id);
    const accepted_at = new Date(Date.UTC(2026, 0, 1, 0, at)).toISOString();
    for (const text of questions) {
      const payload = jobPayload({ kind: "chat", session_id, text, accepted_at });
      await parts.jobs.start(payload, 1);
      await parts.jobs.end(payload, 1, jobEnd("yes"));
    }
  }
  const searchSessions = createSearchSessions(createSearchReader(parts.readStorage));
  const search = (text: string, options: Partial<SearchOptions> = {}, owner = "alice") =>
    searchSessions(owner, text, { limit: 50, bounds: BOUNDS, ...options });
  /** Which of the sessions are found, by their place, and the text around each hit. */
  const found = async (text: string, owner?: string) =>
    (await search(text, {}, owner)).matches.map(({ row, match }) => [ids.indexOf(row.id), match]);
  return { ...parts, ids, search, found };
}

export function sessionSearchContract(open: OpenStorage): void {
  test("sessions are found by title and by what was said, newest first, with the text around the newest hit", async () => {
    const { found, sessions, ids } = await openSearch(
      open,
      ["Tea in spring", "Green TEA, then?", "And black tea?"],
      ["Nothing of it"],
      ["今天天气怎么样", "明天下雨吗"],
    );
    await sessions.rename(ids[1] ?? "", "alice", "A teapot");
    expect(await found("tea")).toEqual([
      [1, null],
      [0, null],
    ]);
    expect(await found("green tea")).toEqual([[0, "Green TEA, then?"]]);
    expect(await found("下雨")).toEqual([[2, "明天下雨吗"]]);
    expect(await found("YES")).toEqual([2, 1, 0].map((at) => [at, "yes"]));
    expect([await found("coffee"), await found("tea", "bob")]).toEqual([[], []]);
  });

  test("no character of a searched text stands for others", async () => {
    const { found } = await openSearch(open, ["x", "100% sure_thing \\ 'quoted' \0"], ["y", "1000 surething"]);
    for (const text of ["100%", "sure_t", "\\ '", "\0"]) expect((await found(text)).map(([at]) => at)).toEqual([0]);
    expect(await found("1%0")).toEqual([]);
  });

  test("the text around a hit is one line of at most 160 characters, with the hit in it", async () => {
    const long = (before: string, behind: string) => `${before.repeat(100)}\n the  Needle\n${behind.repeat(100)}`;
    const { search } = await openSearch(open, ["a", long("before ", "behind ")], ["b", long("之前🙂", "之后🙂")]);
    const { matches } = await search("needle");
    expect(matches).toHaveLength(2);
    for (const { match } of matches) {
      expect(match?.length).toBeLessThanOrEqual(160);
      expect(match).toMatch(/^….* the Needle .*…$/u);
      expect(match).toBe(match?.toWellFormed());
    }
  });

  test("results of tools are not searched", async () => {
    const { jobs, found } = await openSearch(open);
    const payload = jobPayload({ kind: "chat", session_id: newId(), text: "Look" });
    await jobs.start(payload, 1);
    const calls = [{ id: "a", name: "find", arguments: "{}", result: "hidden", turn: 1 }];
    await jobs.end(payload, 1, jobEnd("Seen", { calls }));
    expect([await found("hidden"), (await found("seen")).length]).toEqual([[], 1]);
  });

  test("a page that has looked at enough ends, says so, and the next one goes on behind it", async () => {
    const { search, ids } = await openSearch(open, ["hit"], ["a", "b"], ["c"], ["hit"], ["d"]);
    for (const bounds of [
      { ...BOUNDS, lookedAt: 1, slice: 1 },
      { ...BOUNDS, withinMs: 0, slice: 1 },
    ]) {
      const pages = [await search("hit", { bounds })];
      while (pages.at(-1)?.next != null) pages.push(await search("hit", { bounds, before: pages.at(-1)?.next ?? "" }));
      expect(pages.length).toBeGreaterThan(2);
      expect(pages.flatMap(({ matches }) => matches.map(({ row }) => row.id))).toEqual([ids[3], ids[0]]);
      expect(pages.map(({ isComplete }) => isComplete)).toEqual(pages.map((_, at) => at === pages.length - 1));
    }
    const whole = await search("hit");
    expect([whole.matches.length, whole.next, whole.isComplete]).toEqual([2, null, true]);
    const first = await search("hit", { limit: 1 });
    expect([first.matches.length, first.next, first.isComplete]).toEqual([1, ids[3], true]);
  });

  test("places that cancelled messages have left free are no messages", async () => {
    const { jobs, search, ids } = await openSearch(open, ["title", "early", "late"]);
    const session_id = ids[0] ?? "";
    // Cancelled while it waits behind others.
    const cancelled = jobPayload({ kind: "chat", session_id, text: "dropped" });
    await jobs.start(cancelled, 1, [newId(), newId()]);
    await jobs.end(cancelled, 1, jobEnd("", { status: "cancelled" }));
    const { matches, isComplete } = await search("early", { bounds: { ...BOUNDS, perSession: 7, slice: 2 } });
    expect([matches.length, isComplete]).toEqual([1, true]);
  });

  test("a session that is deleted while a page is looked for does not end the page", async () => {
    const { readStorage, sessions, ids } = await openSearch(open, ["hit"], ["a"]);
    const reader = createSearchReader(readStorage);
    const candidates: typeof reader.candidates = async (owner, page) => {
      const found = await reader.candidates(owner, page);
      const [newest] = found;
      if (newest === undefined || found.length === 1) return found;
      await sessions.delete(newest.id, "alice");
      // As many as one read takes, of which the last is gone.
      return Array.from({ length: 100 }, () => newest);
    };
    const { matches } = await createSearchSessions({ ...reader, candidates })("alice", "hit", { limit: 5 });
    expect(matches.map(({ row }) => row.id)).toEqual([ids[0]]);
  });

  test("of a long session the newest messages are looked at, and what is left out is told", async () => {
    const { search } = await openSearch(open, ["title", "early", "middle", "late"]);
    const bounds = { ...BOUNDS, perSession: 4, slice: 2 };
    const within = async (text: string) => {
      const { matches, isComplete } = await search(text, { bounds });
      return [matches.length, isComplete];
    };
    expect([await within("late"), await within("middle"), await within("early")]).toEqual([
      [1, true],
      [1, true],
      [0, false],
    ]);
  });
}
