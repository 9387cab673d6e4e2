/** What every journal promises (I5 within a job, I4 between its attempts), as tests over a factory of jobs. */
import type { Journal } from "@agent-paas/agents/job/journal.ts";
import { describe, expect, test } from "vitest";

export type JournaledJob = {
  /** Starts the attempt of this number, from 1; earlier attempts are superseded by it. */
  attempt(number: number): Promise<Journal>;
};

const entry = (input: unknown, idempotent = true) => ({ kind: "tool", input, idempotent });

async function beginNew(journal: Journal, input: unknown, idempotent = true) {
  const begun = await journal.begin(entry(input, idempotent));
  if (begun.state !== "new") throw new Error(`the entry is ${begun.state}`);
  return begun;
}

/** Begins and finishes a new entry; returns its id. */
async function finish(journal: Journal, input: unknown, value: unknown = `value of ${JSON.stringify(input)}`) {
  const begun = await beginNew(journal, input);
  await begun.finish(value);
  return begun.id;
}

export function journalContract(implementation: string, startJob: () => Promise<JournaledJob>): void {
  describe(`the contract of journals: ${implementation}`, () => {
    test("later attempts find finished entries in whatever order they begin them", async () => {
      const job = await startJob();
      const first = await job.attempt(1);
      for (const input of ["a", "b", { deep: [1] }]) await finish(first, input);
      for (const number of [2, 3]) {
        const later = await job.attempt(number);
        for (const input of [{ deep: [1] }, "b", "a"]) {
          const value = `value of ${JSON.stringify(input)}`;
          expect(await later.begin(entry(input))).toEqual({ state: "finished", value });
        }
        expect(await later.begin(entry("c"))).toMatchObject({ state: "new" });
      }
    });

    test("the n-th entry of one kind and input is found as the n-th, and another kind is another entry", async () => {
      const job = await startJob();
      const first = await job.attempt(1);
      const ids = [await finish(first, "a", 1), await finish(first, "a", 2)];
      const other = await first.begin({ ...entry("a"), kind: "delegate" });
      if (other.state !== "new") throw new Error(`the entry is ${other.state}`);
      await other.finish(3);
      expect(new Set([...ids, other.id]).size).toBe(3);
      const second = await job.attempt(2);
      expect(await second.begin({ ...entry("a"), kind: "delegate" })).toEqual({ state: "finished", value: 3 });
      expect(await second.begin(entry("a"))).toEqual({ state: "finished", value: 1 });
      expect(await second.begin(entry("a"))).toEqual({ state: "finished", value: 2 });
      expect(await second.begin(entry("a"))).toMatchObject({ state: "new" });
    });

    test("entries that are begun side by side are numbered in the order of the calls", async () => {
      const job = await startJob();
      const first = await job.attempt(1);
      const [one, two] = await Promise.all([beginNew(first, "a"), beginNew(first, "a")]);
      await two.finish("second");
      await one.finish("first");
      const second = await job.attempt(2);
      const found = await Promise.all([second.begin(entry("a")), second.begin(entry("a"))]);
      expect(found).toEqual(["first", "second"].map((value) => ({ state: "finished", value })));
    });

    test("an unfinished entry is in doubt if it is not idempotent, and otherwise new again", async () => {
      const job = await startJob();
      const first = await job.attempt(1);
      await beginNew(first, "effect", false);
      await beginNew(first, "harmless");
      const second = await job.attempt(2);
      expect(await second.begin(entry("effect", false))).toEqual({ state: "in_doubt" });
      expect(await second.begin(entry("harmless"))).toMatchObject({ state: "new" });
      const third = await job.attempt(3);
      expect(await third.begin(entry("effect", false))).toEqual({ state: "in_doubt" });
    });

    test("an entry in doubt may be begun again as idempotent, and can then be finished", async () => {
      const job = await startJob();
      await beginNew(await job.attempt(1), "a", false);
      const begun = await beginNew(await job.attempt(2), "a");
      await begun.finish("done");
      expect(await (await job.attempt(3)).begin(entry("a", false))).toEqual({ state: "finished", value: "done" });
    });

    test("an entry's id is the same in every attempt and differs from the ids of other entries and jobs", async () => {
      const [job, other] = [await startJob(), await startJob()];
      const first = await job.attempt(1);
      const ids = [(await beginNew(first, "a")).id, (await beginNew(first, "b")).id];
      const second = await job.attempt(2);
      expect([(await beginNew(second, "a")).id, (await beginNew(second, "b")).id]).toEqual(ids);
      ids.push((await beginNew(await other.attempt(1), "a")).id);
      expect(new Set(ids).size).toBe(3);
    });

    test("a value is found as JSON holds it, independent of later changes to the object", async () => {
      const job = await startJob();
      const first = await job.attempt(1);
      const value = { at: new Date(0), gone: undefined, list: [undefined, 1] };
      await finish(first, "object", value);
      value.list.push(2);
      await (await beginNew(first, "nothing")).finish(undefined);
      const second = await job.attempt(2);
      const json = { at: "1970-01-01T00:00:00.000Z", list: [null, 1] };
      expect(await second.begin(entry("object"))).toEqual({ state: "finished", value: json });
      expect(await second.begin(entry("nothing"))).toEqual({ state: "finished", value: null });
    });

    test("inputs are equal when their JSON is equal", async () => {
      const job = await startJob();
      await finish(await job.attempt(1), { a: 1, gone: undefined }, "found");
      const second = await job.attempt(2);
      expect(await second.begin(entry({ b: 1, a: 1 }))).toMatchObject({ state: "new" });
      expect(await second.begin(entry({ a: 1 }))).toEqual({ state: "finished", value: "found" });
    });

    test("a value or an input that JSON cannot hold is refused", async () => {
      const job = await startJob();
      const first = await job.attempt(1);
      const cycle: { self?: unknown } = {};
      cycle.self = cycle;
      await expect(first.begin(entry(cycle))).rejects.toThrow(TypeError);
      await expect((await beginNew(first, "a")).finish(cycle)).rejects.toThrow(TypeError);
      expect(await (await job.attempt(2)).begin(entry("a"))).toMatchObject({ state: "new" });
    });

    test("an integer beyond 2^53 is kept as it came", async () => {
      const job = await startJob();
      await (await beginNew(await job.attempt(1), 12345678901234567890n)).finish(98765432109876543210n);
      expect(await (await job.attempt(2)).begin(entry(12345678901234567890n))).toEqual({
        ...{ state: "finished", value: 98765432109876543210n },
      });
    });

    test("a value of up to 1 MiB of JSON is kept, and a larger one is refused with the limit", async () => {
      const job = await startJob();
      const first = await job.attempt(1);
      const quotes = 2;
      await finish(first, "fits", "x".repeat(1024 * 1024 - quotes));
      const begun = await beginNew(first, "too large");
      await expect(begun.finish("x".repeat(1024 * 1024 - quotes + 1))).rejects.toThrow(/1048576/);
      const second = await job.attempt(2);
      expect(await second.begin(entry("fits"))).toMatchObject({ state: "finished" });
      expect(await second.begin(entry("too large"))).toMatchObject({ state: "new" });
    });

    test("I4: a superseded attempt begins no effect and finishes no entry", async () => {
      const job = await startJob();
      const superseded = await job.attempt(1);
      const begun = await beginNew(superseded, "a");
      const current = await job.attempt(2);
      await expect(superseded.begin(entry("effect", false))).rejects.toThrow();
      await expect(begun.finish("late")).rejects.toThrow();
      expect(await current.begin(entry("effect", false))).toMatchObject({ state: "new" });
      expect(await current.begin(entry("a"))).toMatchObject({ state: "new" });
    });
  });
}
