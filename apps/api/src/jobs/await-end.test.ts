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
import { createOpenResponses } from "../events/open-responses.ts";
import { createTimingWheel } from "../events/timing-wheel.ts";
import { type AwaitJobEndOptions, awaitJobEnd } from "./await-end.ts";

const JOB = "j";
const INTERVAL_MS = 1_600;
const KNOWN = { findEnded: async () => null, isKnown: async () => true };

function wait(options: Partial<AwaitJobEndOptions> = {}) {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const log = createMemoryEventLog();
  const subscriber = createMemorySubscriber();
  const wheel = createTimingWheel(INTERVAL_MS);
  onTestFinished(() => wheel.stop());
  const openResponses = createOpenResponses();
  const client = new AbortController();
  const ended = awaitJobEnd(
    { events: { log, subscriber, wheel, openResponses } },
    { jobId: JOB, withinMs: 60_000, signal: client.signal, ...KNOWN, ...options },
  );
  return { log, subscriber, openResponses, client, ended };
}

test("a wait ends with the live terminal event, and not with an event before it", async () => {
  const { subscriber, ended } = wait();
  subscriber.deliver(JOB, batchOf(1, [textEvent("a")]));
  expect(subscriber.listenersOf(JOB)).toBe(1);
  subscriber.deliver(JOB, batchOf(2, [doneEvent(JOB)]));
  expect(await ended).toBe(true);
  expect(subscriber.listenersOf(JOB)).toBe(0);
});

test("a wait that missed the live terminal event finds it in the log after a gap", async () => {
  const { log, subscriber, ended } = wait();
  log.append(JOB, batchOf(1, [doneEvent(JOB)]));
  subscriber.notifyGap();
  expect(await ended).toBe(true);
});

test("a wait for a job whose log has expired ends by the job's row within one interval", async () => {
  let row: JobRow | null = null;
  const { ended } = wait({ findEnded: async () => row });
  await vi.advanceTimersByTimeAsync(10);
  row = jobRow();
  await vi.advanceTimersByTimeAsync(INTERVAL_MS);
  expect(await ended).toBe(true);
});

test("a wait for a job that no queue and no row knows gives up after a while", async () => {
  let isSettled = false;
  const { ended } = wait({ isKnown: async () => false });
  void ended.then(() => {
    isSettled = true;
  });
  await vi.advanceTimersByTimeAsync(9_000);
  expect(isSettled).toBe(false);
  await vi.advanceTimersByTimeAsync(6_000);
  expect(await ended).toBe(false);
});

test("a wait gives up when its time is up", async () => {
  const { ended, subscriber } = wait({ withinMs: 5_000 });
  await vi.advanceTimersByTimeAsync(5_000);
  expect(await ended).toBe(false);
  expect(subscriber.listenersOf(JOB)).toBe(0);
});

test("a wait gives up when the client leaves", async () => {
  const { ended, client } = wait();
  client.abort();
  expect(await ended).toBe(false);
});

test("a wait of a client that has left already gives up at once", async () => {
  expect(await wait({ signal: AbortSignal.abort() }).ended).toBe(false);
});

test("a wait gives up when the process stops", async () => {
  const { ended, openResponses } = wait();
  openResponses.endAll();
  expect(await ended).toBe(false);
});
