/** The checker can fail: for every column there is a forged run that it must not let pass. */
import { describe, expect, test } from "vitest";
import { readSources } from "../support/sources.ts";
import { check } from "./checker.ts";
import type { Evidence, JobRow } from "./evidence.ts";
import { ZERO_COLUMNS, type ZeroColumn } from "./findings.ts";
import { readFrames } from "./sse-frames.ts";
import { judge } from "./table.ts";
import type { Entry, Sample, Transcript } from "./transcript.ts";

const frame = (id: number, event: string, data: object) =>
  `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
const text = (id: number, content: string) => frame(id, "message", { content, type: "text" });
const result = (id: number, data: object) => frame(id, "thought", { content: "", type: "tool_result", ...data });
const done = (id: number, status = "completed") => frame(id, "done", { job_id: "job", status });

/** A run of one job with a tool of each kind, in which all went well. Mutable: each test spoils something. */
function goodRun() {
  const answer = "⟨100.1⟩q-1:⟨100.2⟩ hello";
  const stream = [
    frame(1, "thought", { content: "", type: "status" }),
    result(2, { call_id: "1", status: "ok" }),
    result(3, { call_id: "2", status: "ok" }),
    text(4, "⟨100.1⟩q-1:"),
    text(5, "⟨100.2⟩ hello"),
    done(6),
  ];
  const transcript = {
    label: "q-1",
    kind: "chat" as const,
    expected: {
      answer: "q-1: hello",
      status: "completed" as Transcript["expected"]["status"],
      once: ["q-1-a"],
      again: ["q-1-c"],
    },
    turn: { session: "s", no: 1 },
    acceptedAt: 50 as number | null,
    jobIds: ["job"],
    sessionId: "session",
    refusals: 0,
    rejected: null as string | null,
    connections: [
      {
        api: "api-1",
        after: 0,
        openedAt: 50,
        status: 200,
        chunks: [[90, stream.join("")] as [number, string]],
        closed: "end" as const,
      },
    ],
    polled: null as Transcript["polled"],
    cancelledAt: null as number | null,
  };
  const row: { -readonly [Field in keyof JobRow]: JobRow[Field] } = {
    ...{ id: "job", session_id: "session", task: "q-1 [[…]]", status: "completed", fencing_token: 1, attempt: 1 },
    ...{
      result: JSON.stringify({ content: answer }),
      error_code: null,
      last_seq: 6,
      finished_at: "2026-01-01T00:00:09Z",
    },
  };
  const message = { job_id: "job", session_id: "session", created_at: "2026-01-01T00:00:01Z" };
  const extra: Entry[] = [];
  const run = {
    stream,
    transcript,
    row,
    rows: [row],
    log: [...stream],
    messages: [
      { ...message, ordinal: 1, role: "user", content: "q-1" },
      { ...message, ordinal: 2, role: "assistant", content: answer },
    ],
    steps: [{ job_id: "job", step_no: 1, fencing_token: 1, finished_at: "2026-01-01T00:00:02Z" }],
    calls: [{ last_user: "q-1 [[…]]", at_ms: 100, ended: "done", ended_at_ms: 101 as number | null }],
    effects: ["q-1-a call-1", "q-1-c call-2"],
    left: [] as string[],
    entries: extra,
    /** Takes the stream to the client, and with `logged` to the log too. */
    say(frames: readonly string[], logged = true) {
      transcript.connections[0]?.chunks.splice(0, 1, [90, frames.join("")]);
      if (logged) run.log = [...frames];
    },
  };
  return run;
}

type Run = ReturnType<typeof goodRun>;

function check1(run: Run) {
  const { rows: jobs, messages, steps, calls, effects, left, entries, log, transcript } = run;
  const evidence: Evidence = {
    ...{ jobs, messages, steps, calls, effects, left },
    entries: [{ type: "transcript", value: transcript }, ...entries],
    logs: new Map([["job", readFrames([[0, log.join("")]])]]),
  };
  return check(evidence);
}

const brokenColumns = (run: Run) => {
  const { cases } = check1(run);
  return ZERO_COLUMNS.filter((column) => cases.get(column)?.length !== 0);
};

function judged(run: Run, bounds = {}) {
  return judge("forged", check1(run), bounds);
}

test("it shares no code with the product", () => {
  const sources = new Map(readSources().map((source) => [source.file, source]));
  const reached = new Set(["checker.ts", "evidence.ts", "table.ts"].map((file) => `test/chaos/${file}`));
  for (const file of reached) for (const own of sources.get(file)?.own ?? []) reached.add(own);
  expect(reached.size).toBeGreaterThan(10);
  expect([...reached].filter((file) => !file.startsWith("test/chaos/"))).toEqual([]);
  expect(new Set([...reached].flatMap((file) => sources.get(file)?.packages ?? []))).toEqual(new Set(["ioredis"]));
});

test("a run in which all went well passes", () => {
  const run = goodRun();
  expect(brokenColumns(run)).toEqual([]);
  expect(judged(run)).toMatchObject({ passed: true });
});

const samples = (last: Partial<Sample>): Entry[] =>
  Array.from({ length: 100 }, (_, at) => {
    const value = { at: at * 5_000, name: "api-1", pid: 7, rssKb: 100_000, descriptors: 50, ...(at > 60 ? last : {}) };
    return { type: "sample", value };
  });

const SPOILED: readonly [ZeroColumn, string, (run: Run) => unknown][] = [
  ["lost", "no row", (run) => void run.rows.pop()],
  ["lost", "a row that has not ended", (run) => Object.assign(run.row, { status: "running" })],
  ["twice", "two dones", (run) => run.say([...run.stream, done(7)])],
  ["twice", "done says another status than the row", (run) => Object.assign(run.row, { status: "cancelled" })],
  ["twice", "two rows for one question", (run) => void run.rows.push({ ...run.row, id: "other" })],
  ["twice", "two job ids for one question", (run) => void run.transcript.jobIds.push("other")],
  ["without end", "a stream that stops", (run) => run.say(run.stream.slice(0, -1), false)],
  ["without end", "a log that stops", (run) => void run.log.pop()],
  ["holes", "an event that did not come", (run) => run.say(run.stream.toSpliced(1, 1), false)],
  [
    "holes",
    "an event before a jump that did not come",
    (run) => {
      const anew = frame(1_004, "message", { type: "reset", content: "" });
      const end = [text(1_005, "⟨100.2⟩ q-1:"), done(1_006)];
      run.log = [...run.stream.slice(0, 3), anew, ...end];
      run.row.last_seq = 1_006;
      run.say([...run.stream.slice(0, 2), anew, ...end], false);
    },
  ],
  ["holes", "a number that the log lacks", (run) => void run.log.splice(1, 1)],
  ["repeated events", "an event that came twice", (run) => run.say(run.stream.toSpliced(2, 0, run.stream[1] ?? ""))],
  ["wrong text", "another word for the client", (run) => run.say(run.stream.with(4, text(5, "⟨100.2⟩ hallo")))],
  [
    "wrong text",
    "another word in the row",
    (run) => Object.assign(run.row, { result: JSON.stringify({ content: "q-1:" }) }),
  ],
  ["wrong text", "another word in the message", (run) => void run.messages.splice(1, 1)],
  ["wrong text", "no message of the user", (run) => void run.messages.splice(0, 1)],
  [
    "failed",
    "a job that should have completed",
    (run) => {
      run.row.status = "failed";
      run.say(run.stream.with(5, done(6, "failed")));
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
    "two answers",
    (run) => void run.messages.push({ ...run.messages[1], ordinal: 3 } as Run["messages"][0]),
  ],
  ["effects doubled", "a call that must not be repeated", (run) => void run.effects.push("q-1-a call-1")],
  ["effects doubled", "a call repeated under another name", (run) => void run.effects.push("q-1-c call-3")],
  ["effects missing", "a call that was neither made nor reported", (run) => void run.effects.shift()],
  ["effects missing", "an idempotent call that was not made", (run) => void run.effects.pop()],
  ["stale writes", "an event behind done", (run) => run.say([...run.stream, text(7, "late")])],
  ["stale writes", "the log holds another event than was seen", (run) => run.log.splice(0, 1, frame(1, "thought", {}))],
  [
    "stale writes",
    "a step younger than the end",
    (run) => Object.assign(run.row, { finished_at: "2026-01-01T00:00:01Z" }),
  ],
  [
    "stale writes",
    "a step of a former attempt behind one of the next",
    (run) => {
      run.row.fencing_token = 2;
      run.steps.unshift({ job_id: "job", step_no: 2, fencing_token: 2, finished_at: "2026-01-01T00:00:01Z" });
    },
  ],
  ["stale writes", "a done that the row does not know", (run) => Object.assign(run.row, { last_seq: 5 })],
  [
    "stale writes",
    "a text of two attempts",
    (run) => void run.calls.splice(0, 1, { ...run.calls[0], at_ms: 500, ended_at_ms: 600 } as Run["calls"][0]),
  ],
  [
    "stale writes",
    "an attempt that comes back",
    (run) => {
      const retry = (id: number, attempt: number) => frame(id, "thought", { type: "retry", attempt });
      run.say([retry(1, 3), retry(2, 2), retry(3, 4), ...run.stream.slice(3)]);
    },
  ],
  [
    "out of order",
    "messages not as asked",
    (run) => {
      for (const [at, message] of run.messages.reverse().entries()) message.ordinal = at;
    },
  ],
  ["left running", "a queue that is not empty", (run) => void run.left.push("{chaos}:chat:active")],
  [
    "left running",
    "a row that nobody asked for and that runs",
    (run) => void run.rows.push({ ...run.row, id: "x", task: "x", status: "running" }),
  ],
  [
    "misfortunes",
    "a process that would not stop",
    (run) => void run.entries.push({ type: "misfortune", value: "exit code 1" }),
  ],
  ["growth", "memory", (run) => void run.entries.push(...samples({ rssKb: 250_000 }))],
  ["growth", "descriptors", (run) => void run.entries.push(...samples({ descriptors: 300 }))],
];

describe("the table fails, under its column, on", () => {
  test.each(SPOILED)("%s: %s", (column, _, spoil) => {
    const run = goodRun();
    spoil(run);
    expect(brokenColumns(run)).toContain(column);
    expect(judged(run)).toMatchObject({ passed: false });
  });

  test("overlaps: a message answered before the former", () => {
    const run = goodRun();
    const second = { ...run.transcript, label: "q-2", turn: { session: "s", no: 2 }, jobIds: ["job-2"] };
    run.entries.push({ type: "transcript", value: second });
    run.calls.push({ last_user: "q-2 [[…]]", at_ms: 100.5, ended: "done", ended_at_ms: 102 });
    expect(brokenColumns(run)).toContain("overlaps");
  });

  test("every column", () => {
    expect(new Set([...SPOILED.map(([column]) => column), "overlaps"])).toEqual(new Set(ZERO_COLUMNS));
  });
});

describe("what is no fault", () => {
  test("a call in doubt that was reported instead of made", () => {
    const run = goodRun();
    run.effects.shift();
    run.say(run.stream.with(1, result(2, { call_id: "1", status: "in_doubt" })));
    expect(brokenColumns(run)).toEqual([]);
  });

  test("a job that was given up because it lost its workers five times", () => {
    const run = goodRun();
    Object.assign(run.row, { status: "failed", error_code: "worker_lost", attempt: 5, result: '{"content":""}' });
    run.messages.pop();
    run.transcript.turn = null as never;
    run.row.last_seq = 10_006;
    const reset = frame(10_005, "message", { type: "reset", content: "" });
    run.say([...run.stream.slice(0, 4), reset, done(10_006, "failed")]);
    expect(brokenColumns(run)).toEqual([]);
  });
});

describe("times", () => {
  const withRestart = (at: number) => {
    const run = goodRun();
    const restart = frame(3, "thought", { type: "retry", attempt: 2 });
    const { chunks } = run.transcript.connections[0] as Run["transcript"]["connections"][0];
    chunks.splice(0, 1, [100, run.stream.slice(0, 2).join("")], [at, [restart, ...run.stream.slice(3)].join("")]);
    run.log = run.stream.with(2, restart);
    return run;
  };
  const bounds = { "job recovery": { share: 0.95, withinMs: 25_000 } };

  test("a job that starts over in time, and one that does not", () => {
    expect(judged(withRestart(20_100), bounds).passed).toBe(true);
    expect(judged(withRestart(25_200), bounds).passed).toBe(false);
  });

  test("a bound that was never measured fails", () => {
    expect(judged(goodRun(), bounds).passed).toBe(false);
  });

  test("from a cancel until the model's stream is closed", () => {
    const run = goodRun();
    run.transcript.cancelledAt = 100.5;
    expect(check1(run).timings.get("upstream closed")).toEqual([0.5]);
  });
});
