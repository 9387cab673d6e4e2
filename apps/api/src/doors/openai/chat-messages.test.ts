import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { expect, test } from "vitest";
import { MAX_CONTENT, MAX_RESULTS } from "../../validation/client-tools.ts";
import {
  fieldsOfResults,
  MessageSchema,
  readConversation as readConversationOf,
  readTurn as readTurnOf,
} from "./chat-messages.ts";
import { inFieldsOfResults } from "./tool-results.ts";

const MOST_PARTS = 3;
const readConversation = (messages: ReturnType<typeof messagesOf>) => readConversationOf(messages, MOST_PARTS);
const readTurn = (messages: ReturnType<typeof messagesOf>) => readTurnOf(messages, MOST_PARTS);

const messagesOf = (messages: readonly object[]) => messages.map((message) => MessageSchema.parse(message));

const result = (tool_call_id: string, content: unknown = "18") => ({ role: "tool", tool_call_id, content });
const call = (id: string) => ({ id, type: "function", function: { name: "f", arguments: "{}" } });
const calling = (...ids: readonly string[]) => ({ role: "assistant", content: null, tool_calls: ids.map(call) });

const question = { role: "user", content: "And?" };
const asked = (parts: number) => ({
  role: "user",
  content: Array.from({ length: parts }, (_, at) => ({ type: "text", text: `Part ${at}` })),
});

test("nulls in the parts of a message are fields that are absent", () => {
  const image = { type: "image_url", image_url: { url: "https://example.com/a.png", detail: null }, text: null };
  const file = { type: "file", file: { file_id: "f", file_data: null, filename: null }, cache: null };
  const content = [{ type: "text", text: "Hi", annotations: null }, image, file];
  const parts = [
    { type: "text", text: "Hi" },
    { type: "image_url", image_url: { url: "https://example.com/a.png" } },
    { type: "file", file: { file_id: "f" } },
  ];
  expect(readConversation(messagesOf([{ role: "user", content, name: null }]))).toMatchObject({ text: "Hi", parts });
});

test("the results of a session's calls need no message of the assistant before them", () => {
  const parts = [{ type: "text", text: "1" }];
  expect(readTurn(messagesOf([result("c1"), result("c2", parts)]))).toEqual({
    ...{ text: "", history: [] },
    toolResults: [
      { call_id: "c1", content: "18" },
      { call_id: "c2", content: "1" },
    ],
  });
});

test("of a turn that brings its past as well, only the results behind the last answer are new", () => {
  const past = [{ role: "user", content: "Hi" }, calling("c1"), result("c1"), calling("c2")];
  expect(readTurn(messagesOf([...past, result("c2")])).toolResults).toEqual([{ call_id: "c2", content: "18" }]);
});

test("without a session, a result needs its call", () => {
  expect(() => readConversation(messagesOf([result("c1")]))).toThrow("messages.0.tool_call_id");
  expect(readConversation(messagesOf([calling("c1"), result("c1")])).history).toHaveLength(2);
});

test.each<[string, readonly object[], string]>([
  ["a call at the end", [calling("c1")], "messages.1.tool_calls"],
  ["one of two calls", [calling("c1", "c2"), result("c1"), question], "messages.1.tool_calls"],
  [
    "a call whose result comes after the next message",
    [calling("c1"), question, result("c1")],
    "messages.1.tool_calls",
  ],
  ["a call of a later turn", [calling("c1"), result("c1"), calling("c1"), question], "messages.3.tool_calls"],
])("%s without its result is refused", (_name, messages, param) => {
  const read = () => readConversation(messagesOf([question, ...messages]));
  expect(read).toThrow(expect.objectContaining({ code: "invalid_request", param }));
});

test.each<[string, readonly object[], string]>([
  ["of no call", [result("c1")], "messages.1.tool_call_id"],
  ["of a call that is answered", [calling("c1"), result("c1"), question, result("c1")], "messages.4.tool_call_id"],
  ["of another call", [calling("c1"), result("c2")], "messages.2.tool_call_id"],
])("a result %s is refused", (_name, messages, param) => {
  const read = () => readConversation(messagesOf([question, ...messages]));
  expect(read).toThrow(expect.objectContaining({ code: "invalid_request", param }));
});

test("results may stand in any order, and instructions between them", () => {
  const { history } = readConversation(
    messagesOf([calling("c1", "c2"), result("c2"), { role: "system", content: "Be kind." }, result("c1"), question]),
  );
  expect(history.map(({ role }) => role)).toEqual(["assistant", "tool", "system", "tool"]);
});

test.each<[string, readonly object[], string]>([
  ["the question", [asked(4)], "messages.0.content"],
  ["an earlier question", [asked(4), { role: "assistant", content: "Yes." }, question], "messages.0.content"],
  ["two questions in a row, together", [asked(2), asked(2)], "messages.1.content"],
])("more parts than a message may have are refused: %s", (_name, messages, param) => {
  const read = () => readConversation(messagesOf(messages));
  expect(read).toThrow(expect.objectContaining({ code: "invalid_request", param }));
});

test("a session's next question has no more parts than a message may have", () => {
  const past = [asked(9), { role: "assistant", content: "Yes." }];
  expect(readTurn(messagesOf([...past, asked(3)])).parts).toHaveLength(3);
  expect(() => readTurn(messagesOf([...past, asked(2), asked(2)]))).toThrow(
    expect.objectContaining({ code: "invalid_request", param: "messages.3.content" }),
  );
});

test.each([
  ["a long id of a call", [result("c".repeat(257))], "messages.1.tool_call_id"],
  ["a long result", [result("c1"), result("c2", "x".repeat(MAX_CONTENT + 1))], "messages.2.content"],
  ["two results of one call", [result("c1"), result("c1")], "messages"],
  ["too many results", Array.from({ length: MAX_RESULTS + 1 }, (_, at) => result(`c${at}`)), "messages"],
])("%s is refused by the field of its message", (_name, results, param) => {
  const read = () => readTurn(messagesOf([calling("c1"), ...results]));
  expect(read).toThrow(expect.objectContaining({ code: "invalid_request", param }));
  expect(read).toThrow(new RegExp(`^${param}: `));
});

test("a session that knows no such call says in which message it is", () => {
  const error = new PlatformError("tool_call_not_found", { param: "tool_results.1.call_id" });
  const fields = fieldsOfResults(
    messagesOf([calling("c1"), result("c1"), { role: "user", content: "" }, result("c2")]),
  );
  expect(inFieldsOfResults(error, fields)).toMatchObject({ param: "messages.3.tool_call_id", code: error.code });
});
