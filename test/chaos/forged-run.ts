/** A correct run of one job, built by hand, for tests that forge parts of it. */
import { check } from "./checker.ts";
import type { Evidence, JobRow } from "./evidence.ts";
import { ZERO_COLUMNS } from "./findings.ts";
import { readFrames } from "./sse-frames.ts";
import { evaluate } from "./table.ts";
import type { Entry, Transcript } from "./transcript.ts";

export const frame = (id: number, event: string, data: object) =>
  `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
export const text = (id: number, content: string) => frame(id, "message", { content, type: "text" });
export const result = (id: number, data: object) => frame(id, "thought", { content: "", type: "tool_result", ...data });
export const done = (id: number, status = "completed") => frame(id, "done", { job_id: "job", status });

/** A correct run of one job with a tool of each kind. Mutable: each test forges a part of it. */
export function goodRun() {
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
    conversation: { session: "s", no: 1 } as Transcript["conversation"],
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
    ...{ id: "job", session_id: "session", task: "q-1 [[…]]", status: "completed", fencing_token: 1, attempts: 1 },
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
    journal: [{ job_id: "job", step_no: 1, fencing_token: 1, finished_at: "2026-01-01T00:00:02Z" }],
    calls: [{ last_user: "q-1 [[…]]", at_ms: 100, ended: "done", ended_at_ms: 101 as number | null }],
    effects: ["q-1-a call-1", "q-1-c call-2"],
    leftRunning: [] as string[],
    entries: extra,
    /** Replaces the client's stream; with `logged` also the event log. */
    receive(frames: readonly string[], logged = true) {
      transcript.connections[0]?.chunks.splice(0, 1, [90, frames.join("")]);
      if (logged) run.log = [...frames];
    },
  };
  return run;
}

export type Run = ReturnType<typeof goodRun>;

export function evidenceOf(run: Run): Evidence {
  const { rows: jobs, messages, journal, calls, effects, leftRunning, entries, log, transcript } = run;
  return {
    ...{ jobs, messages, journal, calls, effects, leftRunning },
    entries: [{ type: "transcript", value: transcript }, ...entries],
    logs: new Map([["job", readFrames([[0, log.join("")]])]]),
  };
}

export const checkRun = (run: Run) => check(evidenceOf(run));

export const brokenColumns = (run: Run) => {
  const { incidents } = checkRun(run);
  return ZERO_COLUMNS.filter((column) => incidents.get(column)?.length !== 0);
};

export function verdictOf(run: Run, bounds = {}) {
  return evaluate("forged", checkRun(run), bounds);
}
