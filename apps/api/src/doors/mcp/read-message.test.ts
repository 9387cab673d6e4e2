import { expect, test } from "vitest";
import { readMessage } from "./read-message.ts";

const responding = (fields: object) => readMessage({ jsonrpc: "2.0", id: "job/inquiry", ...fields });

test.each([["yes"], [5], [[]], [null]])("a response whose result is %j is a response without one", (result) => {
  expect(responding({ result })).toMatchObject({ kind: "response", result: null, error: null });
});

test.each([["no"], [{}], [{ message: 7 }]])("a response whose error is %j is one that failed", (error) => {
  expect(responding({ error })).toMatchObject({ kind: "response", error: { message: "it does not say why" } });
});

test("a response is read as it is", () => {
  expect(responding({ result: { action: "accept" } })).toMatchObject({ result: { action: "accept" }, error: null });
  expect(responding({ error: { code: -1, message: "No." } })).toMatchObject({
    result: null,
    error: { message: "No." },
  });
});

test.each([
  ["jsonrpc", { jsonrpc: "1.0", id: 1, method: "ping" }],
  ["id", { jsonrpc: "2.0", id: 1.5, method: "ping" }],
  ["params", { jsonrpc: "2.0", id: 1, method: "ping", params: [] }],
  ["method", { jsonrpc: "2.0" }],
])("a message with a wrong %s is refused by the field", (field, body) => {
  expect(() => readMessage(body)).toThrow(`Invalid message: ${field}: `);
});
