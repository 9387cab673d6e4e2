/**
 * The event log and its live channel in memory, for unit tests of what reads them. The log is strict: it passes the
 * contract suite of event logs, and an append that the real log could not hold throws.
 */
import { decodeEvents, encodeEvent, type JobEvent, readBounds } from "@agent-paas/shared/contract/events.ts";
import type { EventLog } from "../../apps/api/src/events/event-log.ts";
import type { JobEventSubscriber, JobListener } from "../../apps/api/src/events/job-event-subscriber.ts";

export type MemoryEventLog = EventLog & {
  /** Appends one batch. Throws unless its events have consecutive numbers and continue the log. */
  append(jobId: string, batch: Buffer): void;
  lastSeq(jobId: string): number;
};

export function createMemoryEventLog(): MemoryEventLog {
  const logs = new Map<string, Buffer[]>();
  const batchesOf = (jobId: string): readonly Buffer[] => logs.get(jobId) ?? [];
  const lastSeq = (jobId: string): number => {
    const last = batchesOf(jobId).at(-1);
    return last === undefined ? 0 : readBounds(last).last;
  };
  return {
    lastSeq,

    append(jobId, batch) {
      const events = decodeEvents(batch);
      const first = lastSeq(jobId) + 1;
      if (events.length === 0) throw new Error("a batch without events");
      for (const [at, { seq }] of events.entries()) {
        if (seq !== first + at) throw new Error(`event ${seq} does not continue the log, ${first + at} would`);
      }
      if (hasEnded(batchesOf(jobId))) throw new Error(`the log of ${jobId} has ended`);
      logs.set(jobId, [...batchesOf(jobId), batch]);
    },

    async read(jobId, seq, page) {
      if (!Number.isSafeInteger(seq) || seq < 0) throw new Error(`not the number of an event: ${seq}`);
      if (!Number.isSafeInteger(page) || page < 1) throw new Error(`not the size of a page: ${page}`);
      return batchesOf(jobId)
        .filter((batch) => readBounds(batch).last > seq)
        .slice(0, page);
    },

    last: async (jobId) => batchesOf(jobId).at(-1) ?? null,
  };
}

const hasEnded = (batches: readonly Buffer[]): boolean => {
  const last = batches.at(-1);
  return last !== undefined && readBounds(last).terminal;
};

export type MemorySubscriber = JobEventSubscriber & {
  /** Delivers a batch to the job's listeners. */
  deliver(jobId: string, batch: Buffer): void;
  listenersOf(jobId: string): number;
};

/** Confirms every subscription at once. */
export function createMemorySubscriber(): MemorySubscriber {
  const channels = new Map<string, Set<JobListener>>();
  const listenersOf = (jobId: string): ReadonlySet<JobListener> => channels.get(jobId) ?? new Set();
  return {
    add(jobId, listener) {
      const listeners = new Set(listenersOf(jobId)).add(listener);
      channels.set(jobId, listeners);
      return { confirmed: Promise.resolve(), release: () => void channels.get(jobId)?.delete(listener) };
    },
    notifyGap() {
      for (const listeners of channels.values()) for (const listener of [...listeners]) listener.onGap();
    },
    deliver(jobId, batch) {
      for (const listener of [...listenersOf(jobId)]) listener.onBatch(batch, readBounds(batch));
    },
    listenersOf: (jobId) => listenersOf(jobId).size,
  };
}

/** One batch; its events are numbered from `first` on. */
export const batchOf = (first: number, events: readonly JobEvent[]): Buffer =>
  Buffer.from(events.map((event, at) => encodeEvent(first + at, event)).join(""));

export const textEvent = (content: string): JobEvent => ({ event: "message", data: { content, type: "text" } });

export const doneEvent = (jobId: string): JobEvent => ({
  event: "done",
  data: { session_id: null, job_id: jobId, status: "completed", usage: null, finish_reason: null },
});
