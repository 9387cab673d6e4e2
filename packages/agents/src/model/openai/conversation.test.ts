/** Conversations as plugins, histories and providers leave them, and the one that goes to a provider. */
import { expect, test } from "vitest";
import { seededRandom } from "../../../../../test/support/seeded-random.ts";
import type { ModelMessage, ToolCall } from "../model.ts";
import { ANY_CALL_ID, NINE_CHARS } from "./call-ids.ts";
import { mendConversation } from "./conversation.ts";

const user = (content: string): ModelMessage => ({ role: "user", content });
const system = (content: string): ModelMessage => ({ role: "system", content });
const assistant = (content: string, ...toolCalls: ToolCall[]): ModelMessage =>
  toolCalls.length === 0 ? { role: "assistant", content } : { role: "assistant", content, toolCalls };
const call = (id: string, args = "{}"): ToolCall => ({ id, name: "t", arguments: args });
const result = (callId: string, content: string): ModelMessage => ({ role: "tool", callId, content });

test.each<[what: string, given: ModelMessage[], mended: ModelMessage[]]>([
  [
    "a sound one",
    [system("s"), user("a"), assistant("b"), user("c")],
    [system("s"), user("a"), assistant("b"), user("c")],
  ],
  ["two questions in a row", [user("a"), user("b")], [user("a\n\nb")]],
  ["an answer that said nothing", [user("a"), assistant(" \n"), user("b")], [user("a\n\nb")]],
  [
    "a history that begins with an answer",
    [system("s"), assistant("b"), user("c")],
    [system("s"), user("…"), assistant("b"), user("c")],
  ],
  [
    "system prompts in between",
    [system("s"), user("a"), system("t"), assistant("b"), user("c")],
    [system("s\n\nt"), user("a"), assistant("b"), user("c")],
  ],
  ["an empty question at the end", [user("a"), assistant("b"), user("")], [user("a"), assistant("b"), user("…")]],
  ["an empty system prompt", [system(" "), user("a")], [user("a")]],
  ["nothing", [], [user("…")]],
  ["a system prompt alone", [system("s")], [system("s"), user("…")]],
  [
    "two answers in a row",
    [user("a"), assistant("b"), assistant("c"), user("d")],
    [user("a"), assistant("b\n\nc"), user("d")],
  ],
  [
    "a call without its result",
    [user("a"), assistant("", call("1"), call("2")), result("2", "two")],
    [user("a"), assistant("", call("1"), call("2")), result("1", "The call was not made."), result("2", "two")],
  ],
  [
    "results of nothing, empty results, and results in another order",
    [
      user("a"),
      result("0", "x"),
      assistant("", call("1"), call("2")),
      result("2", ""),
      result("1", "one"),
      result("1", "again"),
    ],
    [user("a"), assistant("", call("1"), call("2")), result("1", "one"), result("2", "(empty)")],
  ],
  [
    "a result that somebody interrupted",
    [user("a"), assistant("", call("1")), user("b"), result("1", "one")],
    [user("a"), assistant("", call("1")), result("1", "one"), assistant("…"), user("b")],
  ],
  [
    "half characters",
    [user("a\ud83d"), assistant("\udc00b"), user("c")],
    [user("a\ufffd"), assistant("\ufffdb"), user("c")],
  ],
])("a conversation with %s comes out as providers demand", (_, given, mended) => {
  expect(mendConversation(given)).toEqual(mended);
});

test("ids that are missing, too long, used before, or of another form are replaced with those of their results", () => {
  const given = [
    user("a"),
    assistant("", call("call_0"), call(""), call("x".repeat(41)), call("same"), call("same")),
    ...["call_0", "", "x".repeat(41), "same", "same"].map((id, at) => result(id, String(at))),
    assistant("", call("call_0")),
    result("call_0", "5"),
  ];
  for (const form of [ANY_CALL_ID, NINE_CHARS]) {
    const mended = mendConversation(given, form);
    const ids = callsOf(mended).map(({ id }) => id);
    expect(new Set(ids).size).toBe(6);
    expect(ids.every((id) => id.length >= form.least && id.length <= form.most)).toBe(true);
    expect(mended.flatMap((message) => (message.role === "tool" ? [[message.callId, message.content]] : []))).toEqual(
      ids.map((id, at) => [id, String(at)]),
    );
  }
  expect(callsOf(mendConversation(given))[0]?.id).toBe("call_0");
  expect(callsOf(mendConversation(given, NINE_CHARS))[0]?.id).toMatch(/^[a-z0-9]{9}$/);
});

test.each([
  ['{"a": 12345678901234567890}', '{"a": 12345678901234567890}'],
  ["{}", "{}"],
  ["", "{}"],
  ["null", "{}"],
  ["[1]", "{}"],
  ['"{}"', "{}"],
  ['{"a":', "{}"],
  ['{"a":"\\ud83d\\ude00 \\ud83d \\\\ud83d \\udc00"}', '{"a":"\\ud83d\\ude00 \ufffd \\\\ud83d \ufffd"}'],
])("arguments %s go back as %s", (given, sent) => {
  const [only] = callsOf(mendConversation([user("a"), assistant("", call("1", given))]));
  expect(only?.arguments).toBe(sent);
});

test("whatever conversation comes in, a well-formed one goes out, and stays as it is when mended again", () => {
  const random = seededRandom(13);
  const below = (bound: number) => random.int(0, bound - 1);
  const one = random.pick;
  const texts = ["", " ", "a", "…", "\ud800", "b\n\nc", "\udfff d"];
  const ids = ["", "1", "2", "call_0", "y".repeat(50), "abcdefghi", "\ud800"];
  const message = (): ModelMessage => {
    const role = one(["system", "user", "assistant", "tool"] as const);
    if (role === "tool") return result(one(ids), one(texts));
    if (role !== "assistant") return { role, content: one(texts) };
    const calls = Array.from({ length: below(4) }, () => call(one(ids), one(["{}", "", "[", '{"a":1}', "7"])));
    return assistant(one(texts), ...calls);
  };
  for (let round = 0; round < 3_000; round++) {
    const given = Array.from({ length: below(12) }, message);
    for (const form of [ANY_CALL_ID, NINE_CHARS]) {
      const mended = mendConversation(given, form);
      expect(problemsOf(mended), JSON.stringify(given)).toEqual([]);
      expect(mendConversation(mended, form), JSON.stringify(given)).toEqual(mended);
    }
  }
});

const callsOf = (messages: readonly ModelMessage[]): readonly ToolCall[] =>
  messages.flatMap((message) => (message.role === "assistant" ? (message.toolCalls ?? []) : []));

/** What a strict provider would refuse. */
function problemsOf(messages: readonly ModelMessage[]): string[] {
  const problems: string[] = [];
  const [first, ...others] = messages[0]?.role === "system" ? messages.slice(1) : messages;
  if (first?.role !== "user") problems.push("the first is no user message");
  if (others.some(({ role }) => role === "system")) problems.push("a system message is not the first");
  if (JSON.stringify(messages).includes("\\ud")) problems.push("half a character");
  const ids = callsOf(messages).map(({ id }) => id);
  if (new Set(ids).size !== ids.length) problems.push("an id twice");
  let expected: string[] = [];
  for (const [at, message] of messages.entries()) {
    const before = messages[at - 1]?.role;
    const calls = message.role === "assistant" ? (message.toolCalls ?? []) : [];
    if (message.content.trim() === "" && calls.length === 0) problems.push(`message ${at} is empty`);
    if (message.role === "tool") {
      if (expected.shift() !== message.callId) problems.push(`message ${at} answers no call`);
      continue;
    }
    if (expected.length > 0) problems.push(`a call before message ${at} has no result`);
    if (message.role === before) problems.push(`message ${at} has the role of the one before`);
    if (message.role === "user" && before === "tool") problems.push(`message ${at} follows a result`);
    expected = calls.map(({ id }) => id);
  }
  if (expected.length > 0) problems.push("the last call has no result");
  return problems;
}
