import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { expect, test } from "vitest";
import { createJournalStore, createMemoryJournal } from "../testing/memory-journal.ts";
import { createAgentJournal } from "./agent-journal.ts";

test("work is done once over all attempts, and each gets the value that JSON keeps", async () => {
  const store = createJournalStore();
  const ids: string[] = [];
  const attempt = () =>
    createMemoryJournal(store).once("pay", { order: 7 }, ({ id }) => {
      ids.push(id);
      return { paid: true, at: new Date(0) };
    });
  const kept = { paid: true, at: "1970-01-01T00:00:00.000Z" };
  expect([await attempt(), await attempt()]).toEqual([kept, kept]);
  expect(ids).toHaveLength(1);
});

test("another name, another input, and the same work again are work of their own", async () => {
  const journal = createMemoryJournal();
  let times = 0;
  const work = () => ++times;
  expect(await journal.once("a", 1, work)).toBe(1);
  expect(await journal.once("a", 2, work)).toBe(2);
  expect(await journal.once("b", 1, work)).toBe(3);
  expect(await journal.once("a", 1, work)).toBe(4);
});

test("work that an attempt broke off is not done again, unless it is idempotent", async () => {
  for (const idempotent of [false, true]) {
    const store = createJournalStore();
    const broken = createMemoryJournal(store).once("pay", 7, () => Promise.reject(new Error("gone")), { idempotent });
    await expect(broken).rejects.toThrow("gone");
    const again = createMemoryJournal(store).once("pay", 7, () => "done", { idempotent });
    if (idempotent) expect(await again).toBe("done");
    else await expect(again).rejects.toMatchObject({ code: "effect_in_doubt", retryable: false });
  }
});

test("work that failed in a way that passes is done again by the next attempt", async () => {
  const store = createJournalStore();
  let times = 0;
  const attempt = () =>
    createMemoryJournal(store).once("pay", 7, () => {
      times += 1;
      if (times < 3) throw new PlatformError("model_rate_limited");
      return times;
    });
  await expect(attempt()).rejects.toMatchObject({ code: "model_rate_limited" });
  await expect(attempt()).rejects.toMatchObject({ code: "model_rate_limited" });
  expect([await attempt(), await attempt()]).toEqual([3, 3]);
});

test("an aborted run does no work, and work that ignores the signal is not waited for", async () => {
  const aborting = new AbortController();
  const journal = createAgentJournal(createMemoryJournal(), aborting.signal);
  const endless = journal.once("wait", 1, () => new Promise(() => {}));
  const stopped = new Error("stopped");
  aborting.abort(stopped);
  await expect(endless).rejects.toBe(stopped);
  await expect(journal.once("pay", 1, () => expect.unreachable())).rejects.toBe(stopped);
});
