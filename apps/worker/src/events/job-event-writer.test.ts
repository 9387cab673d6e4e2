import type { JobEvent } from "@agent-paas/shared/contract/events.ts";
import { expect, test } from "vitest";
import { JobEventWriter, type PendingBatch, WriterRefused } from "./job-event-writer.ts";
import { MAX_EVENTS } from "./log-order.ts";
import { PublishReply } from "./publish-script.ts";

const text = (content: string): JobEvent => ({ event: "message", data: { content, type: "text" } });
const behindAt = (seq: number) => -1_000 - seq;

function open(seq = 0) {
  const signals: string[] = [];
  let scheduled = 0;
  const writer = new JobEventWriter({
    jobId: "job",
    fencingToken: 1,
    seq,
    signals: { refused: () => signals.push("refused"), cancelRequested: () => signals.push("cancel") },
    schedule: () => scheduled++,
    claimsJob: false,
  });
  return { writer, signals, scheduled: () => scheduled };
}

const rangeOf = ({ first, last }: PendingBatch) => [first, last];
const idsOf = ({ bytes }: PendingBatch) => [...bytes.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));

test("events that are appended while a batch is in flight go out together in the next batch", () => {
  const { writer, scheduled } = open(10);
  writer.append(text("a"));
  const first = writer.takeBatch();
  expect(rangeOf(first)).toEqual([11, 11]);
  writer.append(text("b"));
  writer.append(text("c"));
  expect(scheduled()).toBe(1);
  expect(writer.settleBatch(PublishReply.appended)).toBe(true);
  const second = writer.takeBatch();
  expect(rangeOf(second)).toEqual([12, 13]);
  expect(idsOf(second)).toEqual([12, 13]);
  expect(writer.settleBatch(PublishReply.appended)).toBe(false);
});

test("flushed waits for the events that were appended before it, and for no later ones", async () => {
  const { writer } = open();
  writer.append(text("a"));
  writer.takeBatch();
  const flushed = writer.flushed();
  writer.append(text("b"));
  writer.settleBatch(PublishReply.appended);
  await expect(flushed).resolves.toBeUndefined();
});

test("a refused writer stops its run, rejects pending flushes and sends nothing more", async () => {
  const { writer, signals } = open();
  writer.append(text("a"));
  writer.takeBatch();
  const flushed = writer.flushed();
  expect(writer.settleBatch(PublishReply.refused)).toBe(false);
  await expect(flushed).rejects.toThrow(WriterRefused);
  await expect(writer.flushed()).rejects.toThrow(WriterRefused);
  expect(signals).toEqual(["refused"]);
  writer.append(text("b"));
  expect(writer.seq).toBe(1);
});

test("a cancel request in the reply to a batch is signalled", () => {
  const { writer, signals } = open();
  writer.append(text("a"));
  writer.takeBatch();
  writer.settleBatch(PublishReply.appendedCancelRequested);
  expect(signals).toEqual(["cancel"]);
});

test("a log that has lost confirmed events gets them again, before the next ones", () => {
  const { writer, signals } = open();
  for (const content of ["a", "b", "c"]) {
    writer.append(text(content));
    writer.takeBatch();
    writer.settleBatch(PublishReply.appended);
  }
  writer.append(text("d"));
  writer.takeBatch();
  expect(writer.settleBatch(behindAt(1))).toBe(true);
  const again = writer.takeBatch();
  expect(rangeOf(again)).toEqual([2, 4]);
  expect(idsOf(again)).toEqual([2, 3, 4]);
  expect(writer.settleBatch(PublishReply.appended)).toBe(false);
  expect(signals).toEqual([]);
});

test("a log that has lost events from before the writer refuses the writer", () => {
  const { writer, signals } = open(5);
  writer.append(text("a"));
  writer.takeBatch();
  expect(writer.settleBatch(behindAt(2))).toBe(false);
  expect(signals).toEqual(["refused"]);
});

test("a writer with many unconfirmed characters is congested until Redis confirms them", () => {
  const { writer } = open();
  writer.append(text("x".repeat(300_000)));
  expect(writer.congested).toBe(true);
  writer.takeBatch();
  writer.settleBatch(PublishReply.appended);
  expect(writer.congested).toBe(false);
});

test("a writer that skips numbers still follows the last event of the log", () => {
  const { writer } = open(7);
  writer.skipTo(100);
  writer.skipTo(50);
  expect(writer.seq).toBe(100);
  writer.append(text("a"));
  const first = writer.takeBatch();
  expect(first).toMatchObject({ previousSeq: 7, first: 101, last: 101 });
  expect(idsOf(first)).toEqual([101]);
  writer.settleBatch(PublishReply.appended);
  writer.append(text("b"));
  writer.takeBatch();
  expect(writer.settleBatch(behindAt(7))).toBe(true);
  expect(writer.takeBatch()).toMatchObject({ previousSeq: 7, first: 101, last: 102 });
  expect(writer.settleBatch(PublishReply.appended)).toBe(false);
});

test("a writer that exceeds its limits throws, but still appends the terminal events", () => {
  const { writer } = open();
  for (let count = 0; count < MAX_EVENTS; count++) writer.append(text(""));
  expect(() => writer.append(text("one more"))).toThrow(expect.objectContaining({ code: "event_limit_exceeded" }));
  writer.append({ event: "error", data: { code: "event_limit_exceeded", message: "", retryable: false } });
  writer.append({
    event: "done",
    data: { session_id: null, job_id: "job", status: "failed", usage: null, finish_reason: null },
  });
  expect(writer.takeBatch()).toMatchObject({ last: MAX_EVENTS + 2, ended: "failed" });
});
