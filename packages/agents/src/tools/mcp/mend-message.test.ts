import { expect, test } from "vitest";
import { readMessages } from "./mend-message.ts";

function read(message: unknown, answerTo?: number) {
  const problems: Error[] = [];
  const text = typeof message === "string" ? message : JSON.stringify(message);
  const messages = readMessages(text, (problem) => problems.push(problem), answerTo);
  return { messages, problems };
}

const jsonrpc = "2.0";

test.each<[what: string, message: unknown, read: object]>([
  ["a null error beside a result", { jsonrpc, id: 1, result: { a: 1 }, error: null }, { id: 1, result: { a: 1 } }],
  ["a null result beside an error", { jsonrpc, id: 1, result: null, error: { code: 1, message: "m" } }, { id: 1 }],
  ["no version", { id: 1, result: {} }, { id: 1, result: {} }],
  ["a number as the version", { jsonrpc: 2, id: 1, result: {} }, { id: 1, result: {} }],
  ["an id as a text", { jsonrpc, id: "1", result: {} }, { id: 1 }],
  ["further fields", { jsonrpc, id: 1, result: {}, method: null, params: null, time: 3 }, { id: 1, result: {} }],
  ["a null result", { jsonrpc, id: 1, result: null }, { id: 1, result: {} }],
  ["a null _meta", { jsonrpc, id: 1, result: { _meta: null, tools: [] } }, { id: 1, result: { tools: [] } }],
  ["a result that is a list", { jsonrpc, id: 1, result: ["a"] }, { result: { content: ["a"] } }],
  ["null params", { jsonrpc, method: "notifications/x", params: null }, { method: "notifications/x" }],
  ["a null id of a notification", { jsonrpc, id: null, method: "notifications/x" }, { method: "notifications/x" }],
  [
    "nulls and texts in a notification of progress",
    {
      jsonrpc,
      method: "notifications/progress",
      params: { progressToken: 1, progress: "5", total: null, _meta: null },
    },
    { params: { progressToken: 1, progress: 5 } },
  ],
])("a message with %s is read", (_, message, expected) => {
  const { messages, problems } = read(message);
  expect(problems).toEqual([]);
  expect(messages).toEqual([expect.objectContaining({ jsonrpc, ...expected })]);
});

test.each<[error: unknown, read: object]>([
  [
    { code: "-32602", message: "m" },
    { code: -32602, message: "m" },
  ],
  [
    { code: null, message: null },
    { code: -32603, message: "{}" },
  ],
  [
    { code: 1.5, message: { detail: "d" } },
    { code: -32603, message: '{"detail":"d"}' },
  ],
  [{ detail: "d" }, { message: '{"detail":"d"}' }],
  ["no disk", { code: -32603, message: "no disk" }],
  [
    { code: -32000, message: "m", data: null },
    { code: -32000, data: { from: "server" } },
  ],
  [
    { code: -32001, message: "m", data: { a: 1 } },
    { code: -32001, data: { from: "server", data: { a: 1 } } },
  ],
])("an error like %j is read, and marked as the server's", (error, expected) => {
  const [message] = read({ jsonrpc, id: 1, error }).messages;
  expect(message).toMatchObject({ id: 1, error: expected });
});

test.each([
  { capabilities: { tools: { listChanged: null } }, serverInfo: { name: "n", version: 1, title: null } },
  {
    capabilities: { tools: [], prompts: null, logging: null },
    serverInfo: { name: "n", version: "1" },
    instructions: null,
  },
  { capabilities: { tools: true, experimental: null }, serverInfo: { name: "n", version: "1", icons: null } },
])("of the answer to initialize what this client uses is kept: %j", (fields) => {
  const { messages } = read({ jsonrpc, id: 0, result: { protocolVersion: "2024-11-05", ...fields } });
  expect(messages).toMatchObject([
    { result: { protocolVersion: "2024-11-05", capabilities: { tools: {} }, serverInfo: { name: "n", version: "1" } } },
  ]);
});

test("an answer to initialize without capabilities and server is read", () => {
  const { messages } = read({ jsonrpc, id: 0, result: { protocolVersion: "2025-06-18", serverInfo: null } });
  expect(messages).toMatchObject([{ result: { capabilities: {}, serverInfo: { name: "unknown" } } }]);
});

test("a batch, and a text with a byte-order mark, are read; what is no message is reported", () => {
  const { messages, problems } = read([{ jsonrpc, id: 1, result: {} }, 7, { a: 1 }, { jsonrpc, method: "m" }]);
  expect([messages.length, problems.length]).toEqual([2, 2]);
  expect(read(`\uFEFF${JSON.stringify({ jsonrpc, id: 1, result: {} })}`).messages).toHaveLength(1);
  expect(() => read("Listening on port 1")).toThrow(SyntaxError);
});

test("an answer without an id belongs to the request that the transport names", () => {
  expect(read({ jsonrpc, id: null, error: { code: 1, message: "m" } }, 7).messages).toMatchObject([{ id: 7 }]);
  expect(read({ jsonrpc, method: "notifications/x" }, 7).messages).toEqual([{ jsonrpc, method: "notifications/x" }]);
});

test("arguments, schemas and results are left as they are", () => {
  const result = { structuredContent: { a: null, _meta: null }, content: [{ type: "text", text: "t", _meta: null }] };
  expect(read({ jsonrpc, id: 1, result }).messages).toMatchObject([{ result }]);
});
