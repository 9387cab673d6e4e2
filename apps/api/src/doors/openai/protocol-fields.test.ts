/** Each field of the protocol is taken or refused by its name, as the types of OpenAI's package have them. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { validate } from "../../validation/validate.ts";
import { ChatRequestSchema } from "./chat-request.ts";
import { ResponseRequestSchema } from "./responses/request.ts";

const CHAT = { model: "m", messages: [{ role: "user", content: "Hi" }] };
const RESPONSE = { model: "m", input: "Hi" };

/** The names of an interface's fields. */
async function fieldsOf(module: string, name: string): Promise<string[]> {
  const declarations = fileURLToPath(import.meta.resolve(module)).replace(/\.m?js$/, ".d.ts");
  const [, behind = ""] = (await readFile(declarations, "utf8")).split(`export interface ${name} {\n`);
  const [body = ""] = behind.split("\n}\n");
  return [...body.matchAll(/^ {4}(\w+)\??:/gm)].map(([, field]) => field ?? "");
}

/** Fields that are not of the protocol. */
const OWN = ["config", "limits"];

test.each([
  ["chat/completions/completions", "ChatCompletionCreateParamsBase", ChatRequestSchema, CHAT],
  ["responses/responses", "ResponseCreateParamsBase", ResponseRequestSchema, RESPONSE],
] as const)(
  "%s: every field is decided on, and may be null where it may be absent",
  async (module, name, schema, request) => {
    const fields = await fieldsOf(`openai/resources/${module}`, name);
    expect(Object.keys(schema.out.shape).sort()).toEqual([...fields, ...OWN].sort());
    const nulls = Object.fromEntries(fields.map((field) => [field, null]));
    expect(validate(schema, { ...nulls, ...request })).toMatchObject(request);
  },
);

test.each<[object, string?]>([
  [{ n: 2 }],
  [{ logprobs: true }],
  [{ top_logprobs: 5 }],
  [{ logit_bias: { 50256: -100 } }],
  [{ modalities: ["text", "audio"] }, "modalities.1"],
  [{ audio: { voice: "alloy", format: "wav" } }],
  [{ functions: [{ name: "f" }] }],
  [{ function_call: "auto" }],
  [{ web_search_options: {} }],
  [{ moderation: "auto" }],
  [{ tools: [{ type: "custom", custom: { name: "f" } }] }, "tools.0.type"],
  [{ max_tokens: 0 }],
  [{ top_k: 40 }],
])("a chat completion with %j is refused by the field", (fields, param = Object.keys(fields)[0]) => {
  expect(() => validate(ChatRequestSchema, { ...CHAT, ...fields })).toThrow(
    expect.objectContaining({ code: "invalid_request", param }),
  );
});

test.each<[object, string?]>([
  [{ top_logprobs: 5 }],
  [{ include: ["message.output_text.logprobs"] }, "include.0"],
  [{ include: ["reasoning.encrypted_content"] }, "include.0"],
  [{ truncation: "auto" }],
  [{ prompt: { id: "pmpt_1" } }],
  [{ context_management: [{ type: "compaction" }] }],
  [{ moderation: {} }],
  [{ access_programs: {} }],
  [{ image: {} }],
  [{ tools: [{ type: "web_search" }] }, "tools.0.type"],
  [{ tool_choice: { type: "file_search" } }, "tool_choice.type"],
  [{ input: [{ type: "computer_call_output", call_id: "c" }] }, "input.0.type"],
])("a response with %j is refused by the field", (fields, param = Object.keys(fields)[0]) => {
  expect(() => validate(ResponseRequestSchema, { ...RESPONSE, ...fields })).toThrow(
    expect.objectContaining({ code: "invalid_request", param }),
  );
});

test.each([
  { n: 1, logprobs: false, top_logprobs: 0, logit_bias: {}, modalities: ["text"] },
  { frequency_penalty: 0, presence_penalty: 0, stop: [], parallel_tool_calls: true, tool_choice: "auto" },
  { store: true, prediction: { type: "content", content: "Hi" }, service_tier: "auto", user: "u" },
  { stream: true, stream_options: { include_usage: true, include_obfuscation: false } },
])("a chat completion with %j is taken: it changes no answer", (fields) => {
  expect(validate(ChatRequestSchema, { ...CHAT, ...fields })).toMatchObject(CHAT);
});
