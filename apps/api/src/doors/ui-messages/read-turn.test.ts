import { expect, test } from "vitest";
import { readChatRequest } from "./chat-request.ts";
import { readTurn } from "./read-turn.ts";

const JOB = "019a8d3e-5301-7b92-9c0d-4e5f6a7b8c9d";
const LIMITS = { MAX_MESSAGE_PARTS: 16, MAX_PARTS_BYTES: 1_000 };

const said = (role: string, id: string, parts: readonly object[] = [{ type: "text", text: "Hi" }]) => ({
  ...{ id, role, parts },
});

const turnOf = (messages: readonly object[], more: object = {}) =>
  readTurn(readChatRequest({ id: "c-1", messages, ...more }), LIMITS);

const AGAIN = { trigger: "regenerate-message" };

test("a question that is asked again follows the answer before it, and a greeting is none", () => {
  const question = said("user", "u-1");
  expect(turnOf([said("assistant", JOB), question], AGAIN)).toMatchObject({ follows: JOB });
  expect(turnOf([said("assistant", "greeting"), question], AGAIN)).toMatchObject({ follows: null });
  expect(() => turnOf([said("user", "u-0"), said("assistant", "unknown"), question], AGAIN)).toThrow("messages");
});

test("outputs of the client's tools in the last step come with the question behind them", () => {
  const step = { type: "step-start" };
  const output = (toolCallId: string, more: object = {}) => ({
    ...{ type: "tool-weather", toolCallId, state: "output-available", input: {}, output: { sky: "grey" }, ...more },
  });
  const own = output("own", { type: "dynamic-tool", toolName: "look", providerExecuted: true });
  const answer = said("assistant", JOB, [
    step,
    output("before"),
    step,
    output("one"),
    own,
    output("two", { output: 2 }),
  ]);
  expect(turnOf([answer, said("user", "u-1")])).toMatchObject({
    ...{ kind: "question", text: "Hi" },
    toolResults: [
      { call_id: "one", content: '{"sky":"grey"}' },
      { call_id: "two", content: "2" },
    ],
  });
  const large = output("large", { output: "x".repeat(200_000) });
  expect(turnOf([said("assistant", JOB, [step, large]), said("user", "u-1")])).toMatchObject({ toolResults: [] });
});

test("an empty text beside a file is no part, and alone it is refused", () => {
  const file = { type: "file", mediaType: "image/png", url: "data:image/png;base64,AAAA" };
  const empty = { type: "text", text: "" };
  expect(turnOf([said("user", "u-1", [empty, file])])).toMatchObject({ parts: [{ type: "image_url" }] });
  expect(() => turnOf([said("user", "u-1", [empty])])).toThrow("messages.0.text");
});
