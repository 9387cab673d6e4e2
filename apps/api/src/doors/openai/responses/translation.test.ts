import type { DecodedEvent, JobEvent } from "@agent-paas/shared/contract/events.ts";
import { decodeEvents, terminalEvents } from "@agent-paas/shared/contract/events.ts";
import { limitReached } from "@agent-paas/shared/contract/limits.ts";
import { expect, test } from "vitest";
import { jobRow } from "../../../../../../test/support/job-row.ts";
import { seededRandom } from "../../../../../../test/support/seeded-random.ts";
import { replayFromRow } from "../../../events/database-replay.ts";
import { NOTHING_KEPT } from "./kept-request.ts";
import { headOf } from "./response.ts";
import { type Fields, ResponseTranslation } from "./translation.ts";

const JOB_ID = jobRow().id;
const HEAD = headOf(JOB_ID, "chat_basic", {}, NOTHING_KEPT.echo);

type Sent = { readonly type: string; readonly number: number; readonly fields: Fields };

function translate(events: readonly DecodedEvent[], after = -1, head = HEAD): Sent[] {
  const sent: Sent[] = [];
  const send = (type: string, number: number, fields: Fields) => sent.push({ type, number, fields });
  const translation = new ResponseTranslation({ jobId: JOB_ID, head, after, send });
  translation.begin();
  for (const event of events) translation.apply(event);
  return sent;
}

const say = (content: string): JobEvent => ({ event: "message", data: { content, type: "text" } });
const reset = (content = ""): JobEvent => ({ event: "message", data: { content, type: "reset" } });
const thought = (type: "reasoning" | "retry" | "queued" | "status", content: string): JobEvent => ({
  event: "thought",
  data: { type, content },
});

const USAGE = { input_tokens: 3, output_tokens: 4, total_tokens: 7 };
const CITATIONS = [
  { marker: "[1]", document_id: "d1", source: "a.md", heading: "", score: 1, excerpt: "…" },
  { marker: "[2]", document_id: "d2", source: "b.md", heading: "", score: 1, excerpt: "…" },
];

type EndOptions = { readonly finish_reason?: string; readonly error?: { code: string; message: string } };

const end = ({ finish_reason = "stop", error }: EndOptions = {}): JobEvent[] =>
  terminalEvents({
    ...{ job_id: JOB_ID, session_id: null, usage: USAGE, finish_reason, citations: CITATIONS, tool_calls: null },
    ...{ status: error === undefined ? "completed" : "failed", error: error ?? null },
  });

const numbered = (events: readonly JobEvent[]): DecodedEvent[] =>
  events.map((event, at) => ({ seq: at + 1, ...event }));

const typesOf = (sent: readonly Sent[]) => sent.map(({ type }) => type.replace("response.", ""));

function lastOf(events: readonly DecodedEvent[]) {
  const last = translate(events).at(-1);
  return { type: last?.type, response: (last?.fields.response ?? {}) as Record<string, unknown> };
}

const LOG = numbered([
  thought("queued", "waits"),
  thought("status", "starts"),
  thought("reasoning", "Let me "),
  thought("reasoning", "think."),
  say("Hel"),
  say("lo [1]"),
  thought("reasoning", "More."),
  say(" and [2]"),
  ...end(),
]);
const TEXT = "Hello [1] and [2]";

/** The same job, whose log is gone. */
const replayed = (after = 0) => {
  const result = JSON.stringify({ content: TEXT, finish_reason: "stop", citations: CITATIONS });
  return decodeEvents(replayFromRow(jobRow({ result, usage: JSON.stringify(USAGE), last_seq: LOG.length }), after));
};

test("every event of a response comes at its place", () => {
  expect(typesOf(translate(LOG))).toEqual([
    ...["created", "in_progress"],
    ...["output_item.added", "reasoning_summary_part.added"],
    ...["reasoning_summary_text.delta", "reasoning_summary_text.delta"],
    ...["reasoning_summary_text.done", "reasoning_summary_part.done", "output_item.done"],
    ...["output_item.added", "content_part.added", "output_text.delta", "output_text.delta"],
    ...["output_item.added", "reasoning_summary_part.added", "reasoning_summary_text.delta"],
    ...["reasoning_summary_text.done", "reasoning_summary_part.done", "output_item.done", "output_text.delta"],
    ...["output_text.annotation.added", "output_text.annotation.added"],
    ...["output_text.done", "content_part.done", "output_item.done", "completed"],
  ]);
});

test("the last event has the whole response, with what the answer cites", () => {
  const { response } = lastOf(LOG);
  const annotations = [
    { type: "file_citation", file_id: "d1", filename: "a.md", index: 6 },
    { type: "file_citation", file_id: "d2", filename: "b.md", index: 14 },
  ];
  expect(response).toMatchObject({
    ...{ id: `resp_${JOB_ID}`, status: "completed", usage: { input_tokens: 3, output_tokens: 4, total_tokens: 7 } },
    output: [
      { type: "reasoning", summary: [{ type: "summary_text", text: "Let me think." }] },
      { type: "message", status: "completed", content: [{ type: "output_text", text: TEXT, annotations }] },
      { type: "reasoning", summary: [{ type: "summary_text", text: "More." }] },
    ],
  });
});

test("a background response is queued until its job starts", () => {
  const sent = translate(LOG, -1, { ...HEAD, background: true });
  expect(typesOf(sent).slice(0, 3)).toEqual(["created", "queued", "in_progress"]);
  const statuses = sent.slice(0, 3).map(({ fields }) => (fields.response as { status: string }).status);
  expect(statuses).toEqual(["queued", "queued", "in_progress"]);
});

test("numbers rise strictly, whatever the events are", () => {
  const random = seededRandom(13);
  for (let round = 0; round < 200; round++) {
    const events = Array.from({ length: random.int(1, 30) }, () =>
      random.pick([say("a"), say("ab"), reset(), thought("reasoning", "r"), thought("retry", "again"), say("")]),
    );
    const numbers = translate(numbered([...events, ...end()])).map(({ number }) => number);
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
  }
});

test("from behind any event, a response goes on with exactly what follows it", () => {
  const whole = translate(LOG);
  for (const [at, { number }] of whole.entries()) expect(translate(LOG, number)).toEqual(whole.slice(at + 1));
});

test("from the database, a client that has seen nothing gets the whole response", () => {
  const sent = translate(replayed());
  expect(typesOf(sent)).toEqual([
    ...["created", "in_progress", "output_item.added", "content_part.added", "output_text.delta"],
    ...["output_text.annotation.added", "output_text.annotation.added"],
    ...["output_text.done", "content_part.done", "output_item.done", "completed"],
  ]);
  expect(sent.find(({ type }) => type === "response.output_text.delta")?.fields.delta).toBe(TEXT);
});

test("from the database, a client gets no piece of the answer twice, and never an end too few", () => {
  const whole = translate(LOG);
  for (const [at, { number }] of whole.entries()) {
    const seen = whole.slice(0, at + 1);
    const sent = translate(replayed(), number);
    const isOf = (wanted: string) => (one: Sent) => one.type === wanted;
    const deltas = [...seen, ...sent].filter(isOf("response.output_text.delta")).map(({ fields }) => fields.delta);
    const hasBegun = typesOf(seen).filter((type) => type === "output_item.added").length > 1;
    // Whoever has the beginning of the answer gets the rest with the whole of it.
    expect(deltas.join("")).toBe(hasBegun ? deltas.join("") : TEXT);
    expect(TEXT.startsWith(deltas.join(""))).toBe(true);
    const all = typesOf([...seen, ...sent]);
    for (const once of ["created", "in_progress", "output_text.done", "completed"]) {
      expect([once, all.filter((type) => type === once).length]).toEqual([once, 1]);
    }
    expect(sent.every((one) => one.number > number)).toBe(true);
  }
});

test("a log that has lost its latest events repeats no piece that a client has", () => {
  const whole = translate(LOG);
  const seen = whole.findLast(({ type }) => type === "response.output_text.delta")?.number ?? 0;
  // The worker restores the end with the numbers that the row gave.
  const [resetAt, doneAt] = [LOG.length - 1, LOG.length];
  const restored = [...LOG.slice(0, 5), { seq: resetAt, ...reset(TEXT) }, { seq: doneAt, ...(end()[0] as JobEvent) }];
  const sent = translate(restored, seen);
  expect(typesOf(sent)).not.toContain("output_text.delta");
  expect(sent.find(({ type }) => type === "response.output_text.done")?.fields.text).toBe(TEXT);
});

test("a further attempt goes on where the one before broke off, and the end has the text that counts", () => {
  const texts = (events: readonly JobEvent[]) => {
    const sent = translate(numbered([...events, ...end()]));
    const deltas = sent.filter(({ type }) => type === "response.output_text.delta").map(({ fields }) => fields.delta);
    return [deltas.join(""), sent.find(({ type }) => type === "response.output_text.done")?.fields.text];
  };
  expect(texts([say("Hello, y"), reset(), say("Hello, you.")])).toEqual(["Hello, you.", "Hello, you."]);
  expect(texts([say("Hello"), reset(), say("Bye.")])).toEqual(["Hello\n\nBye.", "Bye."]);
});

const exhausted = (message: string) => ({ error: { code: "budget_exhausted", message } });

test.each<[string, EndOptions, "incomplete" | "failed", string?]>([
  ["length", { finish_reason: "length" }, "incomplete", "max_output_tokens"],
  ["a content filter", { finish_reason: "content_filter" }, "incomplete", "content_filter"],
  ["a budget of tokens", exhausted(limitReached("max_output_tokens", 9)), "incomplete", "max_output_tokens"],
  ["a budget of calls", exhausted(limitReached("max_tool_calls", 2)), "incomplete", "max_tool_calls"],
  ["a budget of time", exhausted(limitReached("deadline_ms", 500)), "incomplete", "deadline_ms"],
  ["a limit of the agent's own", exhausted("Max turns (10) exceeded"), "failed"],
  [
    "a model that thought until its limit",
    { finish_reason: "length", error: { code: "model_answer_empty", message: "The model's answer is empty." } },
    ...(["incomplete", "max_output_tokens"] as const),
  ],
  ["an error", { error: { code: "model_unavailable", message: "away" } }, "failed"],
])("a response that ended by %s says so", (_name, how, status, reason) => {
  const { type, response } = lastOf(numbered([say("Hel"), ...end(how)]));
  expect(type).toBe(`response.${status}`);
  expect(response.incomplete_details).toEqual(reason === undefined ? null : { reason });
  expect(response.error).toEqual(status === "failed" ? how.error : null);
  expect(response.output).toMatchObject([{ status: "incomplete", content: [{ text: "Hel" }] }]);
});
