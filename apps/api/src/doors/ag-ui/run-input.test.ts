import { expect, test } from "vitest";
import { readRunInput, readTurn, withoutAsked } from "./run-input.ts";

const LIMITS = { MAX_MESSAGE_PARTS: 16, MAX_PARTS_BYTES: 1_000 };

const says = (content: string) => ({ id: `u-${content}`, role: "user" as const, content });
const calls = (...ids: string[]) => ({
  ...{ id: `a-${ids}`, role: "assistant", content: null },
  toolCalls: ids.map((id) => ({ id, type: "function", function: { name: "weather", arguments: "{}" } })),
});
const told = (toolCallId: string, id = `t-${toolCallId}`) => ({ id, role: "tool", toolCallId, content: toolCallId });

const turnOf = (...messages: readonly object[]) =>
  readTurn(readRunInput({ threadId: "t-1", runId: "r-1", messages }), LIMITS);
const idsOf = (results: readonly { readonly call_id: string }[]) => results.map(({ call_id }) => call_id);

test("of calls that have a message each, the results before the last one are looked at, too", () => {
  const turn = turnOf(says("go"), calls("one"), told("one"), calls("two"), told("two"), calls("three"), told("three"));
  expect([idsOf(turn.earlierResults), idsOf(turn.toolResults)]).toEqual([["one", "two"], ["three"]]);
});

test.each([
  ["calls of one message", [says("go"), calls("one", "two"), told("one"), told("two")], []],
  ["an answer between", [calls("one"), told("one"), { id: "a", role: "assistant", content: "Hm." }, says("and")], []],
  ["a question between", [calls("one"), told("one"), says("and"), calls("two"), told("two")], []],
  ["what the platform has called itself", [calls("own"), told("own", "own-result"), calls("one"), told("one")], []],
  [
    "what the client cannot show",
    [calls("one"), told("one"), { id: "r", role: "reasoning" }, calls("two"), told("two")],
    ["one"],
  ],
])("earlier results are those right before: %s", (_what, messages, earlier) => {
  expect(idsOf(turnOf(...messages).earlierResults)).toEqual(earlier);
});

test("what a thread's latest job is about is not added to it again", () => {
  const [one, two, three] = [says("one"), says("two"), says("three")];
  expect(withoutAsked([one, two], "one")).toEqual([two]);
  expect(withoutAsked([one, two, three], "one\ntwo")).toEqual([three]);
  expect(withoutAsked([two], "one")).toEqual([two]);
  expect(withoutAsked([one], "one")).toEqual([]);
});
