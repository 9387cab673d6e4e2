import { expect, test } from "vitest";
import { ChatBody } from "./chat-body.ts";

const LIMITS = { limit: 800, mostValues: 500 };

/** What is read of a body that arrives in pieces of so many bytes. */
function readIn(pieceBytes: number, text: string, limits = LIMITS): unknown {
  const body = Buffer.from(text);
  const chat = new ChatBody(limits);
  for (let at = 0; at < body.length; at += pieceBytes) chat.push(body.subarray(at, at + pieceBytes));
  return chat.end();
}

const says = (role: string, content = role) => ({ role, content });

test.each([1, 2, 3, 7, 10_000])(
  "a body that arrives in pieces of %i bytes is read like one that arrives whole",
  (pieceBytes) => {
    const body = {
      ...{ id: '"messages":[{', nested: { messages: [{ a: 1 }] }, list: [[{}], "]"], nothing: null },
      messages: [says("user", 'a \\" { [ ☂ \\\\'), { role: "tool", content: [{ text: "}" }] }, "no message", 7, null],
      tools: [{ name: "messages" }],
    };
    expect(readIn(pieceBytes, JSON.stringify(body))).toEqual(body);
    expect(readIn(pieceBytes, JSON.stringify(body, null, 2))).toEqual(body);
  },
);

test("what the assistant has answered is dropped, and counts no more", () => {
  const large = "x".repeat(200);
  const messages = Array.from({ length: 20 }, () => [says("user", large), says("assistant", large)]).flat();
  const read = readIn(50, JSON.stringify({ id: "c", messages: [...messages, says("user", large)] })) as {
    messages: { content?: string }[];
  };
  expect(read.messages).toHaveLength(41);
  expect(read.messages.flatMap(({ content }) => content ?? [])).toEqual([large, large]);
});

test("the speakers of dropped messages stay known, and the calls and results behind the question are kept", () => {
  const calls = [says("assistant", "calls"), says("tool", "one"), says("assistant", "calls"), says("tool", "two")];
  const messages = [says("assistant", "Hi!"), says("user"), ...calls];
  expect(readIn(9, JSON.stringify({ messages }))).toEqual({
    messages: [{ role: "assistant" }, { role: "user" }, ...calls],
  });
});

test.each([
  ["a message of the user", { messages: [says("assistant"), says("user", "x".repeat(500))] }],
  ["two of them", { messages: [says("user", "x".repeat(250)), says("user", "x".repeat(250))] }],
  ["the assistant's last message", { messages: [says("assistant", "x".repeat(500))] }],
  ["another field", { id: "x".repeat(500), messages: [] }],
  [
    "the number of values",
    {
      messages: Array(20)
        .fill([says("user", ""), says("assistant", "")])
        .flat(),
    },
  ],
])("%s beyond the limit is refused", (_what, body) => {
  expect(() => readIn(64, JSON.stringify(body), { limit: 400, mostValues: 100 })).toThrow("too large");
});

test.each([
  '{"messages":[{"role":"user"]}',
  '{"messages":[{"a":1}',
  '{"messages":[{} {}]}',
  '{"messages":[{"a":tru}]}',
  "]",
])("%s is no JSON", (text) => {
  expect(() => readIn(3, text)).toThrow("JSON");
});

test("of two fields of one name the last one counts", () => {
  expect(readIn(5, '{"messages":[{"a":1}],"messages":[{"b":2}]}')).toEqual({ messages: [{ b: 2 }] });
});

test("an integer stays as it came", () => {
  expect(JSON.stringify(readIn(4, '{"n":12345678901234567890,"messages":[{"n":12345678901234567890}]}'))).toBe(
    '{"n":12345678901234567890,"messages":[{"n":12345678901234567890}]}',
  );
});
