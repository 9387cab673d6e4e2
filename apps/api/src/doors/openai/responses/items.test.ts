import type { GivenMessage } from "@agent-paas/shared/contract/given-messages.ts";
import type { MessageRow } from "@agent-paas/shared/db/rows.ts";
import { expect, test } from "vitest";
import { z } from "zod";
import { validate } from "../../../validation/validate.ts";
import { asMessages } from "./earlier-turns.ts";
import { asItems, assertAnswered, InputItemSchema, readItems } from "./items.ts";

const MOST_PARTS = 3;

const read = (items: readonly object[]) =>
  readItems(
    items.map((item) => InputItemSchema.parse(item)),
    async (id) => [{ role: "assistant", content: `the item ${id}` }],
    MOST_PARTS,
  );

const IMAGE = { type: "input_image", image_url: "https://example.com/a.png" };

const CALLS = [
  { id: "c1", name: "f", arguments: "{}" },
  { id: "c2", name: "g", arguments: '{"a":1}' },
];

test("items are messages: what was thought goes, and what is one turn to a model becomes one", async () => {
  const messages = await read([
    { role: "developer", content: "Be kind." },
    { role: "user", content: "One" },
    { type: "message", role: "user", content: [{ type: "input_text", text: "two" }] },
    { type: "reasoning", id: "rs_1", summary: [] },
    { type: "message", role: "assistant", content: [{ type: "output_text", text: "I look.", annotations: [] }] },
    ...CALLS.map(({ id: call_id, ...call }) => ({ type: "function_call", call_id, ...call })),
    { type: "function_call_output", call_id: "c1", output: "1" },
    { type: "function_call_output", call_id: "c2", output: [{ type: "input_text", text: "2" }] },
    { type: "item_reference", id: "msg_1" },
  ]);
  expect(messages).toEqual([
    { role: "system", content: "Be kind." },
    { role: "user", content: "One\n\ntwo" },
    { role: "assistant", content: "I look.", tool_calls: CALLS },
    { role: "tool", call_id: "c1", content: "1" },
    { role: "tool", call_id: "c2", content: "2" },
    { role: "assistant", content: "the item msg_1" },
  ]);
  expect(() => assertAnswered(messages)).not.toThrow();
});

test("images and files are parts, and are listed as they came", async () => {
  const content = [
    { type: "input_text", text: "What is this?" },
    { type: "input_image", image_url: "https://example.com/a.png", detail: "low" },
    { type: "input_file", filename: "a.pdf", file_data: "QQ==" },
  ];
  const messages = await read([{ role: "user", content }]);
  expect(messages).toMatchObject([
    {
      content: "What is this?",
      parts: [
        { type: "text", text: "What is this?" },
        { type: "image_url", image_url: { url: "https://example.com/a.png", detail: "low" } },
        { type: "file", file: { filename: "a.pdf", file_data: "QQ==" } },
      ],
    },
  ]);
  expect(asItems(messages, (at) => `in_${at}`)).toMatchObject([{ id: "in_0", role: "user", content }]);
  await expect(read([{ role: "user", content: [{ ...content[1], image_url: "no address" }] }])).rejects.toMatchObject({
    param: "input.0.content.0.image_url.url",
  });
});

test("an empty text beside an image is left out, alone it is a message", async () => {
  const ask = (...content: readonly object[]) => read([{ role: "user", content }]);
  expect(await ask({ type: "input_text", text: " " }, IMAGE)).toMatchObject([
    { content: "", parts: [{ type: "image_url" }] },
  ]);
  expect(await ask({ type: "input_text", text: "" })).toEqual([{ role: "user", content: "" }]);
});

test.each<[string, readonly number[], number]>([
  ["a question", [4], 1],
  ["two questions in a row, together", [2, 2], 2],
])("%s with more parts than a message may have is refused", async (_name, counts, at) => {
  const questions = counts.map((count) => ({ role: "user", content: Array(count).fill(IMAGE) }));
  await expect(read([{ role: "system", content: "Look." }, ...questions])).rejects.toMatchObject({
    ...{ code: "invalid_request", param: `input.${at}.content` },
  });
});

test("nulls are fields that are absent", async () => {
  const content = [
    { type: "input_text", text: "Hi" },
    { ...IMAGE, detail: null, file_id: null },
  ];
  const call = { type: "function_call", call_id: "c", name: "f", arguments: "{}", id: null, status: null };
  expect(await read([{ type: null, id: null, role: "user", content }, call])).toMatchObject([
    { role: "user", parts: [{ text: "Hi" }, { type: "image_url", image_url: { url: IMAGE.image_url } }] },
    { role: "assistant", tool_calls: [{ id: "c" }] },
  ]);
});

test.each<[string, object, string]>([
  ["without content", { role: "user" }, "content"],
  ["of a text without text", { role: "user", content: [{ type: "input_text" }] }, "content.0.text"],
  ["of an image without an address", { role: "user", content: [{ type: "input_image" }] }, "content.0.image_url"],
  ["of an unknown role", { role: "nobody", content: "Hi" }, "role"],
  ["of no parts", { role: "user", content: [] }, "content"],
  ["of two empty texts", { role: "user", content: Array(2).fill({ type: "input_text", text: " " }) }, "content.0.text"],
  ["of a file without data", { role: "user", content: [{ type: "input_file", filename: "a" }] }, "content.0.file"],
  ["of an image by the assistant", { role: "assistant", content: [IMAGE] }, "content.0.type"],
  ["of a call without a name", { type: "function_call", call_id: "c", arguments: "{}" }, "name"],
  ["of a result without a call", { type: "function_call_output", output: "" }, "call_id"],
  ["of a result that is an image", { type: "function_call_output", call_id: "c", output: [IMAGE] }, "output.0.type"],
])("an item %s is refused by its field", async (_name, item, param) => {
  const items = [{ role: "user", content: "Hi" }, item];
  const refused = async () => read(validate(z.array(InputItemSchema), items, ["input"]));
  await expect(refused()).rejects.toMatchObject({ code: "invalid_request", param: `input.1.${param}` });
});

test.each<[string, GivenMessage[]]>([
  ["a call without a result", [{ role: "assistant", content: "", tool_calls: CALLS }]],
  ["a result without a call", [{ role: "tool", call_id: "c1", content: "1" }]],
  [
    "a call whose result comes too late",
    [
      { role: "assistant", content: "", tool_calls: CALLS.slice(0, 1) },
      { role: "user", content: "And?" },
      { role: "tool", call_id: "c1", content: "1" },
    ],
  ],
])("%s is refused", (_name, messages) => {
  expect(() => assertAnswered(messages)).toThrow(/function call/);
});

test("the messages of a session come back as turns, with the calls that tools and clients made", () => {
  let ordinal = 0;
  const row = (fields: Partial<MessageRow>): MessageRow => ({
    ...{ id: `m${++ordinal}`, session_id: "s", job_id: "j1", ordinal, role: "user", content: "", tokens_used: 1 },
    ...{ metadata: "{}", created_at: "", open_turn: null },
    ...fields,
  });
  const tool = (call_id: string, turn: number) =>
    row({
      role: "tool",
      content: `of ${call_id}`,
      metadata: JSON.stringify({ call_id, name: "f", arguments: "{}", turn }),
    });
  const ask = (...ids: readonly string[]) => ids.map((id) => ({ id, name: "f", arguments: "{}" }));
  const calls = [{ call_id: "c4", name: "g", arguments: "{}" }];
  const rows = [
    row({ content: "Do it" }),
    ...[tool("c1", 1), tool("c2", 1), tool("c3", 2)],
    row({ role: "assistant", content: "Now you", open_turn: JSON.stringify({ calls }) }),
    row({ job_id: "j2", role: "tool", content: "done", metadata: JSON.stringify({ call_id: "c4", client: true }) }),
    row({ job_id: "j2", role: "assistant", content: "Thanks" }),
  ];
  const messages = asMessages(rows, new Map());
  expect(messages).toEqual([
    { role: "user", content: "Do it" },
    { role: "assistant", content: "", tool_calls: ask("c1", "c2") },
    { role: "tool", call_id: "c1", content: "of c1" },
    { role: "tool", call_id: "c2", content: "of c2" },
    { role: "assistant", content: "", tool_calls: ask("c3") },
    { role: "tool", call_id: "c3", content: "of c3" },
    { role: "assistant", content: "Now you", tool_calls: [{ id: "c4", name: "g", arguments: "{}" }] },
    { role: "tool", call_id: "c4", content: "done" },
    { role: "assistant", content: "Thanks" },
  ]);
  expect(() => assertAnswered(messages)).not.toThrow();
});
