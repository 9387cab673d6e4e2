import type { ModelMessage, ToolCall } from "@agent-paas/agents/model/model.ts";
import { createScriptedModel } from "@agent-paas/agents/testing";
import { expect, test } from "vitest";
import { createFinishedCalls } from "./finished-calls.ts";

const call = (id: string, args = "{}"): ToolCall => ({ id, name: "find", arguments: args });
const result = (callId: string, content = `found ${callId}`): ModelMessage => ({ role: "tool", callId, content });
const calling = (...toolCalls: ToolCall[]): ModelMessage => ({ role: "assistant", content: "", toolCalls });
const HISTORY: ModelMessage[] = [{ role: "user", content: "Hi" }, calling(call("old")), result("old")];
const QUESTION: ModelMessage = { role: "user", content: "And now?" };

/** What is kept after a model was asked with each of these conversations. */
async function keptOf(...requests: readonly (readonly ModelMessage[])[]) {
  const calls = createFinishedCalls();
  const model = calls.watch(createScriptedModel(...requests.map(() => ({ pieces: ["Yes"] }))));
  for (const messages of requests) await model.stream({ messages }, new AbortController().signal).next();
  return calls.list();
}

test("calls are kept once, turn by turn, when a request brings their results, and those of the history are not", async () => {
  const first = [...HISTORY, QUESTION];
  const second = [...first, calling(call("a"), call("b")), result("b"), result("a")];
  const third = [...second, calling(call("c"), call("lost")), result("c")];
  expect((await keptOf(first, second, second, third)).map(({ id, turn, result }) => [id, turn, result])).toEqual([
    ["a", 1, "found a"],
    ["b", 1, "found b"],
    ["c", 2, "found c"],
  ]);
});

test("what is kept of a call is bounded: its result, its arguments, and the number of all", async () => {
  const [kept] = await keptOf([QUESTION, calling(call("a", `"${"x".repeat(9_000)}"`)), result("a", "y".repeat(9_000))]);
  expect(kept?.result).toBe(`${"y".repeat(8_000)}\n[cut: 1000 more characters]`);
  expect(JSON.parse(kept?.arguments ?? "")).toEqual({ cut: `"${"x".repeat(7_999)}` });

  const turns = Array.from({ length: 60 }, (_, at) => {
    const ids = [`${at}a`, `${at}b`];
    return [QUESTION, calling(...ids.map((id) => call(id))), ...ids.map((id) => result(id))];
  });
  const latest = await keptOf(...turns);
  expect([latest.length, latest[0]?.id, latest.at(-1)?.id]).toEqual([100, "10a", "59b"]);
});

test("turns are kept whole for a job that may end with calls of the client, the one with these calls last", async () => {
  const long = result("a", "y".repeat(9_000));
  const first: ModelMessage = { ...calling(call("a")), reasoning: "Hm" } as ModelMessage;
  const open: ModelMessage = calling(call("b"), call("c"));
  for (const keepsTurns of [true, false]) {
    const calls = createFinishedCalls();
    calls.begin({ continued: HISTORY.slice(1), keepsTurns });
    const model = calls.watch(createScriptedModel({ pieces: ["Yes"] }));
    await model.stream({ messages: [...HISTORY, QUESTION, first, long] }, new AbortController().signal).next();
    expect(calls.noteOpenTurn([open, result("c")])).toBe(2);
    const whole = [
      { turn: 1, messages: [first, long] },
      { turn: 2, messages: [open, result("c")] },
    ];
    expect(calls.wholeTurns()).toEqual(keepsTurns ? whole : []);
  }
});
