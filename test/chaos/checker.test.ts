/** The checker detects faults: for every column there is a forged run that it must reject. */
import { createRedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { describe, expect, test } from "vitest";
import { readSources } from "../support/sources.ts";
import { EVENT_LOG_KEY, PLACES_KEY, SESSION_QUEUE_KEY } from "./evidence.ts";
import { ZERO_COLUMNS, type ZeroColumn } from "./findings.ts";
import { brokenColumns, done, frame, goodRun, type Run, result, text, verdictOf } from "./forged-run.ts";
import type { Entry, Sample } from "./transcript.ts";

test("the key patterns of the evidence match the keys of the product", () => {
  const keys = createRedisKeys("chaos");
  expect(EVENT_LOG_KEY.exec(keys.eventLog("0123-abcd"))?.[1]).toBe("0123-abcd");
  expect(keys.sessionQueue("0123-abcd")).toMatch(SESSION_QUEUE_KEY);
  for (const key of [keys.places("chat"), keys.ownerQueues("chat")]) expect(key).toMatch(PLACES_KEY);
});

test("the checker shares no code with the product", () => {
  const sources = new Map(readSources().map((source) => [source.file, source]));
  const reached = new Set(["checker.ts", "evidence.ts", "table.ts"].map((file) => `test/chaos/${file}`));
  for (const file of reached) for (const own of sources.get(file)?.own ?? []) reached.add(own);
  expect(reached.size).toBeGreaterThan(10);
  expect([...reached].filter((file) => !file.startsWith("test/chaos/"))).toEqual([]);
  expect(new Set([...reached].flatMap((file) => sources.get(file)?.packages ?? []))).toEqual(
    new Set(["ioredis", "pg"]),
  );
});

test("a correct run passes", () => {
  const run = goodRun();
  expect(brokenColumns(run)).toEqual([]);
  expect(verdictOf(run)).toMatchObject({ passed: true });
});

const samples = (last: Partial<Sample>): Entry[] =>
  Array.from({ length: 100 }, (_, at) => {
    const value = { at: at * 5_000, name: "api-1", pid: 7, rssKb: 100_000, descriptors: 50, ...(at > 60 ? last : {}) };
    return { type: "sample", value };
  });

const FORGERIES: readonly [ZeroColumn, string, (run: Run) => unknown][] = [
  ["lost", "no row", (run) => void run.rows.pop()],
  ["lost", "a row that has not ended", (run) => Object.assign(run.row, { status: "running" })],
  ["twice", "two done events", (run) => run.receive([...run.stream, done(7)])],
  ["twice", "a done with another status than the row", (run) => Object.assign(run.row, { status: "cancelled" })],
  ["twice", "two rows for one question", (run) => void run.rows.push({ ...run.row, id: "other" })],
  ["twice", "two job ids for one question", (run) => void run.transcript.jobIds.push("other")],
  ["without end", "a stream that stops", (run) => run.receive(run.stream.slice(0, -1), false)],
  ["without end", "a log that stops", (run) => void run.log.pop()],
  [
    "broken streams",
    "a second connection where the stream should have kept its first",
    ({ transcript }) => {
      Object.assign(transcript.expected, { keepsConnection: true });
      transcript.connections.push({ ...transcript.connections[0], chunks: [] } as Run["transcript"]["connections"][0]);
    },
  ],
  [
    "failed",
    "a job given up although its run allows only an outage of the database as the reason",
    (run) => {
      Object.assign(run.transcript.expected, { mayFailWith: "storage_unavailable" });
      Object.assign(run.row, { status: "failed", error_code: "worker_lost", attempts: 5 });
      run.receive(run.stream.with(5, done(6, "failed")));
    },
  ],
  ["holes", "an event that the client did not receive", (run) => run.receive(run.stream.toSpliced(1, 1), false)],
  [
    "holes",
    "a missing event before a jump",
    (run) => {
      const anew = frame(1_004, "message", { type: "reset", content: "" });
      const end = [text(1_005, "⟨100.2⟩ q-1:"), done(1_006)];
      run.log = [...run.stream.slice(0, 3), anew, ...end];
      run.row.last_seq = 1_006;
      run.receive([...run.stream.slice(0, 2), anew, ...end], false);
    },
  ],
  ["holes", "an event number missing in the log", (run) => void run.log.splice(1, 1)],
  ["repeated events", "an event received twice", (run) => run.receive(run.stream.toSpliced(2, 0, run.stream[1] ?? ""))],
  [
    "wrong text",
    "another word in the client's stream",
    (run) => run.receive(run.stream.with(4, text(5, "⟨100.2⟩ hallo"))),
  ],
  [
    "wrong text",
    "another word in the row",
    (run) => Object.assign(run.row, { result: JSON.stringify({ content: "q-1:" }) }),
  ],
  ["wrong text", "a missing message of the assistant", (run) => void run.messages.splice(1, 1)],
  ["wrong text", "a missing message of the user", (run) => void run.messages.splice(0, 1)],
  [
    "failed",
    "a job that should have completed",
    (run) => {
      run.row.status = "failed";
      run.receive(run.stream.with(5, done(6, "failed")));
    },
  ],
  [
    "rejected",
    "a question that was never accepted",
    (run) => {
      run.transcript.jobIds = [];
      run.transcript.rejected = "400";
    },
  ],
  [
    "rows doubled",
    "two messages of the assistant",
    (run) => void run.messages.push({ ...run.messages[1], ordinal: 3 } as Run["messages"][0]),
  ],
  ["effects doubled", "a repeated call that must not be repeated", (run) => void run.effects.push("q-1-a call-1")],
  [
    "effects doubled",
    "an idempotent call repeated under another call id",
    (run) => void run.effects.push("q-1-c call-3"),
  ],
  ["effects missing", "a call neither made nor reported in doubt", (run) => void run.effects.shift()],
  ["effects missing", "an idempotent call never made", (run) => void run.effects.pop()],
  ["stale writes", "an event after done", (run) => run.receive([...run.stream, text(7, "late")])],
  [
    "stale writes",
    "an event that differs between log and client",
    (run) => run.log.splice(0, 1, frame(1, "thought", {})),
  ],
  [
    "stale writes",
    "a journal entry younger than the job's end",
    (run) => Object.assign(run.row, { finished_at: "2026-01-01T00:00:01Z" }),
  ],
  [
    "stale writes",
    "a journal entry with a lower fencing token after one with a higher token",
    (run) => {
      run.row.fencing_token = 2;
      run.journal.unshift({ job_id: "job", step_no: 2, fencing_token: 2, finished_at: "2026-01-01T00:00:01Z" });
    },
  ],
  [
    "stale writes",
    "a done whose seq differs from the row's last_seq",
    (run) => Object.assign(run.row, { last_seq: 5 }),
  ],
  [
    "stale writes",
    "a text that comes from two calls of the model",
    (run) => void run.calls.splice(0, 1, { ...run.calls[0], at_ms: 500, ended_at_ms: 600 } as Run["calls"][0]),
  ],
  [
    "stale writes",
    "an attempt number that decreases",
    (run) => {
      const retry = (id: number, attempt: number) => frame(id, "thought", { type: "retry", attempt });
      run.receive([retry(1, 3), retry(2, 2), retry(3, 4), ...run.stream.slice(3)]);
    },
  ],
  [
    "out of order",
    "messages stored in another order than asked",
    (run) => {
      for (const [at, message] of run.messages.reverse().entries()) message.ordinal = at;
    },
  ],
  ["left running", "a queue that is not empty", (run) => void run.leftRunning.push("the queue chat")],
  [
    "left running",
    "a running job that no client asked for",
    (run) => void run.rows.push({ ...run.row, id: "x", task: "x", status: "running" }),
  ],
  [
    "incidents",
    "a process that did not stop in order",
    (run) => void run.entries.push({ type: "incident", value: "exit code 1" }),
  ],
  ["growth", "growing memory", (run) => void run.entries.push(...samples({ rssKb: 250_000 }))],
  ["growth", "a growing number of descriptors", (run) => void run.entries.push(...samples({ descriptors: 300 }))],
];

describe("columns of the table", () => {
  test.each(FORGERIES)("the column '%s' reports %s, and the run fails", (column, _, forge) => {
    const run = goodRun();
    forge(run);
    expect(brokenColumns(run)).toContain(column);
    expect(verdictOf(run)).toMatchObject({ passed: false });
  });

  test("the column 'overlaps' reports a message that begins before the previous one is answered", () => {
    const run = goodRun();
    const second = { ...run.transcript, label: "q-2", conversation: { session: "s", no: 2 }, jobIds: ["job-2"] };
    run.entries.push({ type: "transcript", value: second });
    run.calls.push({ last_user: "q-2 [[…]]", at_ms: 100.5, ended: "done", ended_at_ms: 102 });
    expect(brokenColumns(run)).toContain("overlaps");
  });

  test("every column has a forged run", () => {
    expect(new Set([...FORGERIES.map(([column]) => column), "overlaps"])).toEqual(new Set(ZERO_COLUMNS));
  });
});

describe("allowed deviations", () => {
  test("a call reported in doubt instead of made is no incident", () => {
    const run = goodRun();
    run.effects.shift();
    run.receive(run.stream.with(1, result(2, { call_id: "1", status: "in_doubt" })));
    expect(brokenColumns(run)).toEqual([]);
  });

  test("the row's text in place of the log's is no incident where APIs lose Redis, and one elsewhere", () => {
    const run = goodRun();
    const whole = JSON.parse(run.row.result ?? "").content;
    run.receive([run.stream[0] ?? "", frame(5, "message", { content: whole, type: "reset" }), done(6)], false);
    expect(brokenColumns(run)).toEqual(["holes", "stale writes"]);
    Object.assign(run.transcript.expected, { mayBeReplayed: true });
    expect(brokenColumns(run)).toEqual([]);
  });

  test("the row's text in place of the lost end of a log is no incident, and another text is one", () => {
    const run = goodRun();
    const restored = (content: string) => [
      ...run.stream.slice(0, 3),
      frame(5, "message", { content, type: "reset" }),
      done(6),
    ];
    run.log = restored(JSON.parse(run.row.result ?? "").content);
    expect(brokenColumns(run)).toEqual([]);
    run.log = restored("another text");
    expect(brokenColumns(run)).toEqual(["stale writes"]);
  });

  test("a lost job is without end only for a client whose stream stayed open", () => {
    const run = goodRun();
    run.rows.length = 0;
    run.receive([], false);
    expect(brokenColumns(run)).toContain("without end");
    const [stream] = run.transcript.connections as [Run["transcript"]["connections"][0]];
    run.transcript.connections.push({ ...stream, status: 404, chunks: [] });
    expect(brokenColumns(run)).toContain("lost");
    expect(brokenColumns(run)).not.toContain("without end");
  });

  test("a job cancelled while it waited may end with number 2, and no other job may", () => {
    const run = goodRun();
    Object.assign(run.row, { status: "cancelled", result: '{"content":""}', last_seq: 2 });
    Object.assign(run.transcript.expected, { status: "any", once: [], again: [] });
    run.transcript.conversation = null;
    run.messages.pop();
    run.effects.length = 0;
    run.receive([done(2, "cancelled")]);
    expect(brokenColumns(run)).toEqual([]);
    run.row.status = "completed";
    run.receive([done(2)]);
    expect(brokenColumns(run)).toContain("holes");
  });

  test("the 202 of an execute job is no connection of its stream", () => {
    const run = goodRun();
    Object.assign(run.transcript.expected, { keepsConnection: true });
    const [stream] = run.transcript.connections as [Run["transcript"]["connections"][0]];
    run.transcript.connections.unshift({ ...stream, status: 202, chunks: [] });
    expect(brokenColumns(run)).toEqual([]);
  });

  test("a job that failed with worker_lost after five attempts is no incident", () => {
    const run = goodRun();
    Object.assign(run.row, { status: "failed", error_code: "worker_lost", attempts: 5, result: '{"content":""}' });
    run.messages.pop();
    run.transcript.conversation = null;
    run.row.last_seq = 10_006;
    const reset = frame(10_005, "message", { type: "reset", content: "" });
    run.receive([...run.stream.slice(0, 4), reset, done(10_006, "failed")]);
    expect(brokenColumns(run)).toEqual([]);
  });
});
