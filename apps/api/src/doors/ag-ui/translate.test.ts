import type { DecodedEvent } from "@agent-paas/shared/contract/events.ts";
import { expect, test } from "vitest";
import { createTranslate } from "./translate.ts";

const RUN = { threadId: "t-1", runId: "r-1" };
const JOB = "019a8d3e-5301-7b92-9c0d-4e5f6a7b8c9d";

type Frame = Record<string, unknown>;

/** What a client is sent of the events. */
function framesOf(events: readonly object[]): Frame[] {
  const translate = createTranslate(JOB, RUN, { decided: new Map(), seen: new Set() });
  const sent = events.map((event, at) => translate({ seq: at + 1, ...event } as DecodedEvent));
  const text = sent.map((frames) => (typeof frames === "string" ? frames : frames.last)).join("");
  return text
    .split("\n\n")
    .filter((frame) => frame !== "")
    .map((frame) => JSON.parse(frame.replace("data: ", "")) as Frame);
}

const thought = (type: string, fields: object) => ({ event: "thought", data: { type, content: "", ...fields } });
const done = (fields: object) => ({ event: "done", data: { usage: null, finish_reason: "stop", ...fields } });
const called = (id: string) => thought("tool_call", { call_id: id, name: "look", arguments: {} });

const resultsIn = (frames: readonly Frame[]) => frames.filter(({ type }) => type === "TOOL_CALL_RESULT");

test("calls of the client's tools side by side are of one message", () => {
  const calls = ["a", "b"].map((id) => ({ call_id: id, name: "weather", arguments: "{}" }));
  const frames = framesOf([done({ status: "completed", finish_reason: "tool_calls", tool_calls: calls })]);
  const started = frames.filter(({ type }) => type === "TOOL_CALL_START");
  expect(started.map(({ toolCallId, parentMessageId }) => [toolCallId, parentMessageId])).toEqual([
    ["a", `${JOB}-calls`],
    ["b", `${JOB}-calls`],
  ]);
  expect(resultsIn(frames)).toEqual([]);
});

test.each<[string, object]>([
  ["is completed", done({ status: "completed" })],
  ["is cancelled", done({ status: "cancelled" })],
  ["fails", { event: "error", data: { code: "internal_error", message: "It failed." } }],
])("a call that an attempt left behind has a result when its job %s", (_how, end) => {
  const told = thought("tool_result", { call_id: "b", status: "ok", result: "found" });
  const frames = framesOf([called("a"), called("b"), told, end]);
  expect(resultsIn(frames)).toMatchObject([
    { toolCallId: "b", content: "found" },
    { toolCallId: "a", content: "The job ended before this call had a result.", metadata: { status: "error" } },
  ]);
  expect(frames.at(-1)?.type).toMatch(/^RUN_/);
});

const said = (content: string) => ({ event: "message", data: { type: "text", content } });

test("data of an agent are the run's result, and its state unless they are the answer itself", () => {
  const beside = framesOf([said("Two steps."), done({ status: "completed", data: { steps: 2 } })]);
  expect(beside.slice(-2)).toMatchObject([
    { type: "STATE_SNAPSHOT", snapshot: { steps: 2 } },
    { type: "RUN_FINISHED", outcome: { type: "success" }, result: { steps: 2 } },
  ]);
  const answer = framesOf([said('{ "steps":'), said(" 2 }"), done({ status: "completed", data: { steps: 2 } })]);
  expect(answer.map(({ type }) => type)).not.toContain("STATE_SNAPSHOT");
  expect(answer.at(-1)).toMatchObject({ type: "RUN_FINISHED", result: { steps: 2 } });
});

test("an agent that is handed over to is no step", () => {
  const frames = framesOf([thought("delegate", { content: "Ada", agents: ["Ada"] }), done({ status: "completed" })]);
  expect(frames.map(({ type }) => type)).toEqual(["CUSTOM", "RUN_FINISHED"]);
});
