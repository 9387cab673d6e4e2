/** What every event log promises its readers, as a function of a factory: the real log and the fake pass it. */
import { decodeEvents, type JobEvent } from "@agent-paas/shared/contract/events.ts";
import { newId } from "@agent-paas/shared/ids.ts";
import { describe, expect, test } from "vitest";
import type { EventLog } from "../../apps/api/src/events/event-log.ts";
import { batchOf, doneEvent, textEvent } from "../support/memory-events.ts";

export type EventLogSubject = {
  readonly log: EventLog;
  /** Appends events to the log of a job as one batch, numbered from its last event on. */
  append(jobId: string, events: readonly JobEvent[]): Promise<void>;
};

export function eventLogContract(name: string, open: () => EventLogSubject): void {
  /** A log with one batch per number, of so many events. */
  async function openWith(sizes: readonly number[]) {
    const { log, append } = open();
    const jobId = newId();
    let seq = 0;
    for (const size of sizes) {
      await append(
        jobId,
        Array.from({ length: size }, () => textEvent(`${++seq}`)),
      );
    }
    const seqsOf = (batches: readonly Buffer[]) =>
      batches.map((batch) => decodeEvents(batch).map((event) => event.seq));
    const read = async (after: number, page: number) => seqsOf(await log.read(jobId, after, page));
    return { log, append, jobId, read };
  }

  describe(`the event log of ${name}`, () => {
    test("a job without events has an empty log and no last batch", async () => {
      const { log, jobId } = await openWith([]);
      expect(await log.read(jobId, 0, 10)).toEqual([]);
      expect(await log.last(jobId)).toBeNull();
    });

    test("batches are read in the order appended, each whole", async () => {
      const { read } = await openWith([2, 1, 3]);
      expect(await read(0, 10)).toEqual([[1, 2], [3], [4, 5, 6]]);
    });

    test("a batch is read as the bytes that were appended", async () => {
      const { log, append, jobId } = await openWith([1]);
      const events = [textEvent("line\nbreak, \u2028 and 🙂"), doneEvent(jobId)];
      await append(jobId, events);
      expect(await log.read(jobId, 1, 10)).toEqual([batchOf(2, events)]);
    });

    test("a read after the last event of a batch begins with the next batch", async () => {
      const { read } = await openWith([2, 1, 3]);
      expect(await read(2, 10)).toEqual([[3], [4, 5, 6]]);
    });

    test("a read after an event inside a batch begins with that batch", async () => {
      const { read } = await openWith([2, 1, 3]);
      expect(await read(4, 10)).toEqual([[4, 5, 6]]);
    });

    test("a read after the last event finds nothing", async () => {
      const { read } = await openWith([2, 1]);
      expect(await read(3, 10)).toEqual([]);
      expect(await read(99, 10)).toEqual([]);
    });

    test("a page holds the first batches of the rest, and the next page continues behind them", async () => {
      const { read } = await openWith([1, 2, 1, 1, 2]);
      expect(await read(0, 2)).toEqual([[1], [2, 3]]);
      expect(await read(3, 2)).toEqual([[4], [5]]);
      expect(await read(5, 2)).toEqual([[6, 7]]);
    });

    test("event numbers are compared as numbers, not as texts", async () => {
      const { read } = await openWith([9, 1, 1]);
      expect(await read(9, 10)).toEqual([[10], [11]]);
      expect(await read(10, 10)).toEqual([[11]]);
    });

    test("the last batch is the latest appended, also the one that ends the job", async () => {
      const { log, append, jobId } = await openWith([2, 1]);
      expect(decodeEvents((await log.last(jobId)) ?? Buffer.alloc(0)).map(({ seq }) => seq)).toEqual([3]);
      await append(jobId, [doneEvent(jobId)]);
      expect(await log.last(jobId)).toEqual(batchOf(4, [doneEvent(jobId)]));
    });

    test("the logs of two jobs are separate", async () => {
      const { log, append, jobId } = await openWith([2]);
      const other = newId();
      await append(other, [textEvent("of the other job")]);
      expect(await log.read(other, 0, 10)).toEqual([batchOf(1, [textEvent("of the other job")])]);
      expect(await log.read(jobId, 0, 10)).toHaveLength(1);
    });
  });
}
