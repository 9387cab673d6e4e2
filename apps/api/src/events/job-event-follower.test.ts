/** I2 for one client: every event once and in order, whatever pub/sub repeats, loses or delivers at a bad time. */
import { decodeEvents, encodeEvent, type JobEvent, readBounds } from "@agent-paas/shared/contract/events.ts";
import { expect, test, vi } from "vitest";
import type { EventLog } from "./event-log.ts";
import { JobEventFollower } from "./job-event-follower.ts";
import type { JobEventSubscriber, JobListener } from "./job-event-subscriber.ts";

const END: JobEvent = { event: "done", data: { session_id: null, job_id: "j", status: "completed", usage: null } };

/** A job whose log and channel the test controls; `last` marks the batch that ends with `done`. */
function createJob() {
  const batches: Buffer[] = [];
  const listeners = new Set<JobListener>();
  let away = false;
  const log: EventLog = {
    read: async (_jobId, after) => {
      if (away) throw new Error("Redis is away");
      return batches.filter((batch) => (decodeEvents(batch).at(-1)?.seq ?? 0) > after);
    },
    last: async () => batches.at(-1) ?? null,
  };
  const subscriber: JobEventSubscriber = {
    add: (_jobId, listener) => {
      listeners.add(listener);
      return { confirmed: Promise.resolve(), release: () => void listeners.delete(listener) };
    },
    notifyGap: () => {},
    stop: () => {},
  };
  const batchOf = (seqs: readonly number[], last: boolean) =>
    Buffer.from(
      seqs
        .map((seq, at) =>
          encodeEvent(
            seq,
            last && at === seqs.length - 1 ? END : { event: "message", data: { content: `${seq}`, type: "text" } },
          ),
        )
        .join(""),
    );
  return {
    listeners,
    deps: { log, subscriber, wheel: { subscribe: () => () => {}, stop: () => {} } },
    append: (seqs: readonly number[], last = false) => void batches.push(batchOf(seqs, last)),
    publish: (seqs: readonly number[], last = false) => {
      const batch = batchOf(seqs, last);
      for (const listener of listeners) listener.onBatch(batch, readBounds(batch));
    },
    setAway: (value: boolean) => {
      away = value;
    },
    notifyGap: () => {
      for (const listener of listeners) listener.onGap();
    },
  };
}

function follow(job: ReturnType<typeof createJob>, after = 0, takes: () => boolean = () => true) {
  const seen: number[] = [];
  let ended = 0;
  const follower = new JobEventFollower(job.deps, {
    jobId: "j",
    after,
    findEnded: async () => null,
    stage: "open",
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

const settled = () => vi.waitFor(() => new Promise<void>((resolve) => setImmediate(resolve)));

test("the log first, then live", async () => {
  const job = createJob();
  job.append([1, 2]);
  job.append([3]);
  const { seen, ended } = follow(job);
  await vi.waitFor(() => expect(seen).toEqual([1, 2, 3]));
  await settled();
  job.append([4, 5], true);
  job.publish([4, 5], true);
  await vi.waitFor(() => expect(ended()).toBe(1));
  expect(seen).toEqual([1, 2, 3, 4, 5]);
  expect(job.listeners.size).toBe(0);
});

test("what is published before the log was read is not lost and not repeated", async () => {
  const job = createJob();
  const { seen } = follow(job);
  job.append([1]);
  job.publish([1]);
  job.append([2]);
  job.publish([2]);
  await vi.waitFor(() => expect(seen).toEqual([1, 2]));
  job.publish([2]);
  await settled();
  expect(seen).toEqual([1, 2]);
});

test("a hole is filled from the log", async () => {
  const job = createJob();
  job.append([1]);
  const { seen } = follow(job);
  await vi.waitFor(() => expect(seen).toEqual([1]));
  await settled();
  job.append([2]);
  job.append([3, 4]);
  job.publish([3, 4]);
  await vi.waitFor(() => expect(seen).toEqual([1, 2, 3, 4]));
});

test("after a reconnect the log is read again", async () => {
  const job = createJob();
  job.append([1]);
  const { seen, ended } = follow(job);
  await vi.waitFor(() => expect(seen).toEqual([1]));
  await settled();
  job.append([2, 3], true);
  job.notifyGap();
  await vi.waitFor(() => expect(ended()).toBe(1));
  expect(seen).toEqual([1, 2, 3]);
});

test("a client resumes inside a batch", async () => {
  const job = createJob();
  job.append([1, 2, 3]);
  job.append([4], true);
  const { seen, ended } = follow(job, 2);
  await vi.waitFor(() => expect(ended()).toBe(1));
  expect(seen).toEqual([3, 4]);
});

test("a slow client gets nothing more until it asks, then all of it", async () => {
  const job = createJob();
  let flowing = false;
  job.append([1]);
  job.append([2]);
  const { seen, follower, ended } = follow(job, 0, () => flowing);
  await vi.waitFor(() => expect(seen).toEqual([1]));
  job.append([3], true);
  job.publish([3], true);
  await settled();
  expect(seen).toEqual([1]);
  flowing = true;
  follower.resume();
  await vi.waitFor(() => expect(ended()).toBe(1));
  expect(seen).toEqual([1, 2, 3]);
});

test("what could not be read while Redis was away is read when it is back", async () => {
  const job = createJob();
  job.setAway(true);
  const { seen, ended } = follow(job);
  await settled();
  job.append([1, 2], true);
  job.setAway(false);
  job.notifyGap();
  await vi.waitFor(() => expect(ended()).toBe(1));
  expect(seen).toEqual([1, 2]);
});

test("a closed follower hears nothing and holds nothing", async () => {
  const job = createJob();
  const { seen, follower, ended } = follow(job);
  follower.close();
  follower.close();
  job.append([1], true);
  job.publish([1], true);
  await settled();
  expect([seen, ended(), job.listeners.size]).toEqual([[], 0, 0]);
});
