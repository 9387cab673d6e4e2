import type { ModelMessage } from "@agent-paas/agents/model/model.ts";
import { expect, test } from "vitest";
import type { HistoryRow } from "../storage/session-repository.ts";
import { metadataOfCall, metadataOfClientResult } from "../storage/tool-messages.ts";
import { asHistory } from "./history.ts";

const row = (
  job_id: string,
  role: HistoryRow["role"],
  content: string,
  more: Partial<HistoryRow> = {},
): HistoryRow => ({
  ...{ ordinal: 0, job_id, role, content, tokens_used: 1, call: null, job_status: "completed", open_turn: null },
  ...more,
});

const toolCall = (id: string) => ({ id, name: "look", arguments: "{}" });
const calling = (job: string, turn: number, ...ids: string[]) =>
  row(job, "assistant", "Wait", {
    open_turn: {
      ...{ calls: [], turn, tokens: 1, tools: [] },
      message: { role: "assistant", content: "", toolCalls: ids.map(toolCall) },
    },
  });
const result = (job: string, id: string, content: string, job_status: HistoryRow["job_status"] = "completed") =>
  row(job, "tool", content, { call: metadataOfClientResult(id), job_status });
const finished = (job: string, turn: number, id: string) =>
  row(job, "tool", `found ${id}`, { call: metadataOfCall({ ...toolCall(id), result: "", turn }) });

const shown = (rows: readonly HistoryRow[], ...answers: [string, string][]) =>
  asHistory(rows, new Map(), {
    results: answers.map(([call_id, content]) => ({ call_id, content })),
    whole: new Map(),
  }).map((message) => {
    const calls = message.role === "assistant" ? (message.toolCalls ?? []).map(({ id }) => id).join("") : "";
    return `${message.role[0]}${calls}:${message.content}`;
  });

const NONE = "The client sent no result of this call.";

test("calls of one turn go together, of the platform and of the client, each with its result", () => {
  const rows = [row("a", "user", "Hi"), finished("a", 1, "0"), finished("a", 2, "1"), calling("a", 2, "1", "2")];
  expect(shown([...rows, result("b", "2", "Seen"), row("b", "assistant", "Done")])).toEqual([
    ...["u:Hi", "a0:", "t:found 0", "a12:Wait", "t:found 1", "t:Seen", "a:Done"],
  ]);
  expect(shown(rows, ["2", "Sent"]).slice(3)).toEqual(["a12:Wait", "t:found 1", "t:Sent"]);
});

test("a call whose client sent nothing is marked", () => {
  const rows = [row("a", "user", "Hi"), calling("a", 1, "1", "2"), result("b", "1", "Seen")];
  expect(shown(rows)).toEqual(["u:Hi", "a12:Wait", "t:Seen", `t:${NONE}`]);
  expect(shown([...rows.slice(0, 2), row("b", "user", "Never mind")])).toEqual([
    ...["u:Hi", "a12:Wait", `t:${NONE}`, `t:${NONE}`, "u:Never mind"],
  ]);
});

test("of the results that several jobs brought those count that the model was told", () => {
  const rows = [row("a", "user", "Hi"), calling("a", 1, "1", "2")];
  const failed = [result("b", "1", "First", "failed"), result("c", "1", "Second", "cancelled")];
  expect(shown([...rows, ...failed])).toEqual(["u:Hi", "a12:Wait", "t:Second", `t:${NONE}`]);
  const answered = [result("d", "1", "Third"), row("d", "assistant", "Done")];
  const refused = result("e", "1", "Fourth", "failed");
  const later = [refused, result("f", "2", "Fifth", "cancelled"), row("g", "user", "More")];
  expect(shown([...rows, ...failed, ...answered, ...later])).toEqual([
    ...["u:Hi", "a12:Wait", "t:Third", `t:${NONE}`, "a:Done", "u:More"],
  ]);
  // What the job that went on did not bring is what jobs before it had brought.
  const other = [result("d", "2", "Third"), row("d", "assistant", "Done")];
  expect(shown([...rows, ...failed, ...other])).toEqual(["u:Hi", "a12:Wait", "t:Second", "t:Third", "a:Done"]);
  expect(shown([...rows, ...failed], ["2", "Third"])).toEqual(["u:Hi", "a12:Wait", "t:Second", "t:Third"]);
  // A plain message is told that there is no result.
  const plain = [row("d", "user", "Never mind"), row("d", "assistant", "Fine"), refused];
  expect(shown([...rows, ...plain]).slice(2)).toEqual([`t:${NONE}`, `t:${NONE}`, "u:Never mind", "a:Fine"]);
});

test("ids that a provider uses again belong to the turn before their results", () => {
  const rows = [calling("a", 1, "1"), result("b", "1", "First"), calling("b", 1, "1"), result("c", "1", "Second")];
  expect(shown(rows)).toEqual(["a1:Wait", "t:First", "a1:Wait", "t:Second"]);
});

test("a job that goes on has the model turns of those before it whole, as their provider wants them back", () => {
  const said = (id: string, content: string): ModelMessage => ({
    ...{ role: "assistant", content, toolCalls: [{ ...toolCall(id), extra: { s: id } }], reasoning: `Why ${id}` },
    extra: { origin: "m", fields: { reasoning_details: [id] } },
  });
  const found = (callId: string): ModelMessage => ({ role: "tool", callId, content: `found ${callId}, whole` });
  const open: ModelMessage = { ...said("2", "So"), toolCalls: ["2", "3"].map(toolCall) } as ModelMessage;
  const rows = [row("a", "user", "Hi"), finished("a", 1, "0"), finished("a", 2, "1"), finished("a", 3, "2")];
  const whole = new Map([
    ["a", new Map([2, 3].map((turn) => [turn, turn === 2 ? [said("1", "Well"), found("1")] : [open, found("2")]]))],
  ]);
  const messages = asHistory([...rows, calling("a", 3, "2", "3")], new Map(), {
    results: [{ call_id: "3", content: "Seen" }],
    whole,
  });
  expect(messages.slice(3)).toEqual([
    ...[said("1", "Well"), found("1"), open, found("2")],
    { role: "tool", callId: "3", content: "Seen" },
  ]);
  // What was too long to keep is there as histories have it.
  expect(messages.slice(0, 3).map(({ content }) => content)).toEqual(["Hi", "", "found 0"]);
});

test("a result of nothing is left out", () => {
  expect(shown([result("a", "1", "Lost"), row("a", "user", "Hi")])).toEqual(["u:Hi"]);
});
