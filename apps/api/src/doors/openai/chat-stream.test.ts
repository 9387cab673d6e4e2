import type { ErrorEvent, JobEvent } from "@agent-paas/shared/contract/events.ts";
import { limitReached } from "@agent-paas/shared/contract/limits.ts";
import { expect, test } from "vitest";
import type { StreamedJob } from "../../http/stream-format.ts";
import { type ChatStreamOptions, chatStream } from "./chat-stream.ts";

const JOB: StreamedJob = { jobId: "019a8d3e-5301-7b92-9c0d-4e5f6a7b8c9d", sessionId: null };
const USAGE = { input_tokens: 2, output_tokens: 3, total_tokens: 5 };

type Chunk = {
  readonly choices: readonly { readonly delta: Record<string, unknown>; readonly finish_reason: string | null }[];
  readonly usage?: unknown;
  readonly error?: { readonly code: string };
};

/** The frames of the events, without the preamble. */
function translate(events: readonly JobEvent[], options: Partial<ChatStreamOptions> = {}): (Chunk | "[DONE]")[] {
  const format = chatStream({ jobId: JOB.jobId, model: "m", includesUsage: false, isJson: false, ...options });
  const frames = events.map((event, at) => ({ seq: at + 1, ...event })).map(format.translate?.(JOB) ?? (() => ""));
  return frames
    .join("")
    .split("\n\n")
    .filter((frame) => frame !== "")
    .map((frame) => frame.replace(/^data: /, ""))
    .map((data) => (data === "[DONE]" ? data : JSON.parse(data)));
}

const textOf = (frames: readonly (Chunk | "[DONE]")[], field = "content"): string =>
  frames.map((frame) => (frame === "[DONE]" ? "" : (frame.choices?.[0]?.delta[field] ?? ""))).join("");

const say = (content: string): JobEvent => ({ event: "message", data: { content, type: "text" } });
const reset = (content = ""): JobEvent => ({ event: "message", data: { content, type: "reset" } });
const think = (content: string): JobEvent => ({ event: "thought", data: { content, type: "reasoning" } });
const RETRY: JobEvent = { event: "thought", data: { content: "Again", type: "retry", attempt: 2 } };
const done = (more: object = {}): JobEvent => ({
  event: "done",
  data: { session_id: null, job_id: JOB.jobId, status: "completed", usage: USAGE, finish_reason: "stop", ...more },
});

test("each text is a chunk, and the end has its reason", () => {
  expect(translate([say("a"), say("b"), done({ finish_reason: "length" })])).toMatchObject([
    { object: "chat.completion.chunk", choices: [{ delta: { content: "a" }, finish_reason: null }] },
    { choices: [{ delta: { content: "b" }, finish_reason: null }] },
    { choices: [{ delta: {}, finish_reason: "length" }] },
    "[DONE]",
  ]);
});

test("usage comes behind the end, if it was asked for, and is null before", () => {
  expect(translate([say("a"), done()], { includesUsage: true })).toMatchObject([
    { usage: null },
    { usage: null },
    { choices: [], usage: { prompt_tokens: 2, completion_tokens: 3, total_tokens: 5 } },
    "[DONE]",
  ]);
  expect(translate([done()])[0]).not.toHaveProperty("usage");
});

test("an attempt that starts over repeats neither text nor reasoning", () => {
  const frames = translate([think("So"), say("He"), RETRY, reset(), think("So."), say("Hello"), done()]);
  expect(textOf(frames)).toBe("Hello");
  expect(textOf(frames, "reasoning_content")).toBe("So.");
});

test("an answer in JSON comes when it is final", () => {
  const frames = translate([say("```"), reset(), say("{"), say("}"), done()], { isJson: true });
  expect(frames).toMatchObject([
    { choices: [{ delta: { content: "{}" } }] },
    { choices: [{ finish_reason: "stop" }] },
    "[DONE]",
  ]);
});

test("calls of the client come with the end, once", () => {
  const calls = [
    { call_id: "c1", name: "f", arguments: "{}" },
    { call_id: "c2", name: "g", arguments: '{"a":1}' },
  ];
  const shown: JobEvent[] = calls.map((call) => ({
    event: "thought",
    data: { content: "", type: "tool_call", client: true, ...call },
  }));
  expect(translate([...shown, done({ finish_reason: "tool_calls", tool_calls: calls })])).toMatchObject([
    {
      choices: [
        {
          delta: {
            tool_calls: [
              { index: 0, id: "c1", type: "function", function: { name: "f", arguments: "{}" } },
              { index: 1, id: "c2", type: "function", function: { name: "g", arguments: '{"a":1}' } },
            ],
          },
        },
      ],
    },
    { choices: [{ finish_reason: "tool_calls" }] },
    "[DONE]",
  ]);
});

test("what waits for a person says so as reasoning, and what a client cannot show is left out", () => {
  const waiting: JobEvent = { event: "thought", data: { content: "May I?", type: "approval_required" } };
  const status: JobEvent = { event: "thought", data: { content: "Busy", type: "status" } };
  const frames = translate([status, waiting]);
  expect(textOf(frames, "reasoning_content")).toBe("May I?\n");
  expect(frames).toHaveLength(1);
});

test("a failed and a cancelled job end with one error, and are not done", () => {
  const error: JobEvent = { event: "error", data: { code: "model_timeout", message: "Late.", retryable: true } };
  expect(translate([say("a"), error, done({ status: "failed" })]).slice(1)).toEqual([
    { error: { message: "Late.", type: "server_error", param: null, code: "model_timeout" } },
  ]);
  expect(translate([done({ status: "cancelled" })])).toMatchObject([{ error: { code: "job_cancelled" } }]);
});

const failed = (code: string, message: string): ErrorEvent => ({
  event: "error",
  data: { code, message, retryable: false },
});

test.each([
  ["the job's output tokens are used up", failed("budget_exhausted", limitReached("max_output_tokens", 2)), null],
  ["the model has thought until its limit", failed("model_answer_empty", "Empty."), "length"],
])("an answer is cut, not lost, when %s", (_name, error, finish_reason) => {
  const end = done({ status: "failed", finish_reason });
  const cut = [{ choices: [{ finish_reason: "length" }] }, { choices: [], usage: { completion_tokens: 3 } }, "[DONE]"];
  expect(translate([say("{"), error, end], { includesUsage: true }).slice(1)).toMatchObject(cut);
  const held = translate([say("{"), error, end], { includesUsage: true, isJson: true });
  expect(held).toMatchObject([{ choices: [{ delta: { content: "{" } }] }, ...cut]);
});

test.each([
  failed("budget_exhausted", limitReached("max_steps", 2)),
  failed("budget_exhausted", "Max turns (10) exceeded"),
  failed("model_answer_empty", "Empty."),
])("a limit that cuts no answer is an error of its job: $data.message", (error) => {
  expect(translate([error, done({ status: "failed" })])).toMatchObject([{ error: { message: error.data.message } }]);
});
