/** I2 for one client: every event once and in order, whatever pub/sub repeats, loses or delivers at a bad time. */
import { decodeEvents, type JobEvent } from "@agent-paas/shared/contract/events.ts";
import type { JobRow } from "@agent-paas/shared/db/rows.ts";
import { expect, onTestFinished, test, vi } from "vitest";
import { jobRow } from "../../../../test/support/job-row.ts";
import {
  batchOf,
  createMemoryEventLog,
  createMemorySubscriber,
  doneEvent,
  textEvent,
} from "../../../../test/support/memory-events.ts";
import { followJob } from "./job-event-follower.ts";
import { createTimingWheel, type TimingWheel } from "./timing-wheel.ts";

const JOB = "j";
/** Never ticks. */
const NO_WHEEL: TimingWheel = { subscribe: () => () => {}, stop: () => {} };

/** A job whose log and channel the test controls; with `end` the last event of a batch is `done`. */
function createJob() {
  const log = createMemoryEventLog();
  const subscriber = createMemorySubscriber();
  const pages: number[] = [];
  let away = false;
  const eventsOf = (count: number, end: boolean): JobEvent[] =>
    Array.from({ length: count }, (_, at) => (end && at === count - 1 ? doneEvent(JOB) : textEvent("x")));
  return {
    log,
    subscriber,
    /** The page of every read of the log. */
    pages,
    deps: {
      log: {
        ...log,
        read: async (jobId: string, seq: number, page: number) => {
          pages.push(page);
          if (away) throw new Error("Redis is away");
          return log.read(jobId, seq, page);
        },
      },
      subscriber,
      wheel: NO_WHEEL,
    },
    /** Appends one batch to the log and returns it. */
    append(count: number, end = false): Buffer {
      const batch = batchOf(log.lastSeq(JOB) + 1, eventsOf(count, end));
      log.append(JOB, batch);
      return batch;
    },
    deliver: (batch: Buffer) => subscriber.deliver(JOB, batch),
    setAway: (value: boolean) => {
      away = value;
    },
  };
}

type Job = ReturnType<typeof createJob>;

type FollowOptions = { after?: number; takes?: () => boolean; isKnown?: () => boolean; row?: JobRow };

/** `takes` says after each batch whether the client can take more; `row` is that of a job that has ended. */
function follow(job: Job, { after = 0, takes = () => true, isKnown = () => true, row }: FollowOptions = {}) {
  const seen: number[] = [];
  let ended = 0;
  const follower = followJob(job.deps, {
    jobId: JOB,
    after,
    findEnded: async () => row ?? null,
    isKnown: async () => isKnown(),
    sessionId: null,
    stage: row === undefined ? "open" : "ended",
    sink: {
      write: (batch) => {
        seen.push(...decodeEvents(batch).map(({ seq }) => seq));
        return takes();
      },
      end: () => void ended++,
    },
  });
  return { seen, follower, ended: () => ended };
}

/** All promises that can settle have settled. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

const upTo = (last: number) => Array.from({ length: last }, (_, at) => at + 1);

test("a follower reads the log first, then passes live batches on", async () => {
  const job = createJob();
  job.append(2);
  job.append(1);
  const { seen, ended } = follow(job);
  await vi.waitFor(() => expect(seen).toEqual([1, 2, 3]));
  await settled();
  job.deliver(job.append(2, true));
  await vi.waitFor(() => expect(ended()).toBe(1));
  expect(seen).toEqual([1, 2, 3, 4, 5]);
  expect(job.subscriber.listenersOf(JOB)).toBe(0);
});

test("a live batch costs no read of the log", async () => {
  const job = createJob();
  const { seen } = follow(job);
  await settled();
  const reads = job.pages.length;
  for (const _ of upTo(20)) job.deliver(job.append(1));
  expect(seen).toEqual(upTo(20));
  expect(job.pages).toHaveLength(reads);
});

test("a batch published before the log was read is neither lost nor repeated", async () => {
  const job = createJob();
  const { seen } = follow(job);
  job.deliver(job.append(1));
  const second = job.append(1);
  job.deliver(second);
  await vi.waitFor(() => expect(seen).toEqual([1, 2]));
  job.deliver(second);
  await settled();
  expect(seen).toEqual([1, 2]);
});

test("a hole between live batches is filled from the log", async () => {
  const job = createJob();
  job.append(1);
  const { seen } = follow(job);
  await vi.waitFor(() => expect(seen).toEqual([1]));
  await settled();
  job.append(1);
  job.deliver(job.append(2));
  await vi.waitFor(() => expect(seen).toEqual([1, 2, 3, 4]));
});

test("a gap makes a follower read the log again", async () => {
  const job = createJob();
  job.append(1);
  const { seen, ended } = follow(job);
  await vi.waitFor(() => expect(seen).toEqual([1]));
  await settled();
  job.append(2, true);
  job.subscriber.notifyGap();
  await vi.waitFor(() => expect(ended()).toBe(1));
  expect(seen).toEqual([1, 2, 3]);
});

test("a job whose row says its end before its log does ends from the row, and at once", async () => {
  const job = createJob();
  job.append(3);
  const { seen, ended } = follow(job, { row: jobRow({ last_seq: 9 }) });
  await vi.waitFor(() => expect(ended()).toBe(1));
  // The whole text anew, and the end.
  expect(seen).toEqual([1, 2, 3, 8, 9]);
});

test("a client resumes inside a batch", async () => {
  const job = createJob();
  job.append(3);
  job.append(1, true);
  const { seen, ended } = follow(job, { after: 2 });
  await vi.waitFor(() => expect(ended()).toBe(1));
  expect(seen).toEqual([3, 4]);
});

test("a blocked client gets nothing more until it resumes, then the rest", async () => {
  const job = createJob();
  let flowing = false;
  job.append(1);
  job.append(1);
  const { seen, follower, ended } = follow(job, { takes: () => flowing });
  await vi.waitFor(() => expect(seen).toEqual([1]));
  job.deliver(job.append(1, true));
  await settled();
  expect(seen).toEqual([1]);
  flowing = true;
  follower.resume();
  await vi.waitFor(() => expect(ended()).toBe(1));
  expect(seen).toEqual([1, 2, 3]);
});

test("pages double up to 64 batches for a client that takes them", async () => {
  const job = createJob();
  for (const _ of upTo(199)) job.append(1);
  job.append(1, true);
  const { seen, ended } = follow(job);
  await vi.waitFor(() => expect(ended()).toBe(1));
  expect(seen).toEqual(upTo(200));
  expect(job.pages).toEqual([4, 8, 16, 32, 64, 64, 64]);
});

test("a log that fills its last page is read once more, for what may follow", async () => {
  const job = createJob();
  for (const _ of upTo(4)) job.append(1);
  const { seen } = follow(job);
  await settled();
  expect(seen).toEqual(upTo(4));
  expect(job.pages).toEqual([4, 8]);
});

test("a page shrinks to what a blocked client took, and grows again once the client takes all of it", async () => {
  const job = createJob();
  for (const _ of upTo(30)) job.append(1);
  let free = 6;
  const { seen, follower } = follow(job, { takes: () => --free > 0 });
  await settled();
  // Four batches of the first page, then two of the eight of the second.
  expect(seen).toEqual(upTo(6));
  expect(job.pages).toEqual([4, 8]);
  free = 1;
  follower.resume();
  await settled();
  // A page of two, of which the client took one.
  expect(seen).toEqual(upTo(7));
  expect(job.pages).toEqual([4, 8, 2]);
  free = 1_000;
  follower.resume();
  await settled();
  expect(seen).toEqual(upTo(30));
  expect(job.pages).toEqual([4, 8, 2, 1, 2, 4, 8, 16]);
});

test("a follower that could not read the log while Redis was away reads it when Redis is back", async () => {
  const job = createJob();
  job.setAway(true);
  const { seen, ended } = follow(job);
  await settled();
  job.append(2, true);
  job.setAway(false);
  job.subscriber.notifyGap();
  await vi.waitFor(() => expect(ended()).toBe(1));
  expect(seen).toEqual([1, 2]);
});

test("a closed follower passes nothing on and holds no subscription", async () => {
  const job = createJob();
  const { seen, follower, ended } = follow(job);
  follower.close();
  follower.close();
  job.deliver(job.append(1, true));
  await settled();
  expect([seen, ended(), job.subscriber.listenersOf(JOB)]).toEqual([[], 0, 0]);
});

test("a stream of a job that no queue and no row knows ends with an error after a while, and after what was shown", async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const wheel = createTimingWheel(1_600);
  onTestFinished(() => wheel.stop());
  const job = createJob();
  job.append(2);
  let isKnown = true;
  const { seen, ended } = follow({ ...job, deps: { ...job.deps, wheel } }, { isKnown: () => isKnown });
  await vi.advanceTimersByTimeAsync(30_000);
  expect(ended()).toBe(0);
  isKnown = false;
  await vi.advanceTimersByTimeAsync(9_000);
  // Known again in between: what was unknown before does not count.
  isKnown = true;
  await vi.advanceTimersByTimeAsync(2_000);
  isKnown = false;
  await vi.advanceTimersByTimeAsync(9_000);
  expect(ended()).toBe(0);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(ended()).toBe(1);
  expect(seen).toEqual([1, 2, 3, 4]);
  expect(job.subscriber.listenersOf(JOB)).toBe(0);
});
