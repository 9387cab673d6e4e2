/** Requests that adapt to what providers refuse. */
import { describe, expect, test } from "vitest";
import {
  type Answer,
  type Asked,
  failureOf,
  json,
  says,
  withProvider,
} from "../../../../../test/support/scripted-provider.ts";
import { TOOL_LOOP as LOOP } from "../../../../../test/support/tool-loop.ts";
import type { ModelMessage, ModelRequest } from "../model.ts";

const refuse = (message: string, status = 400, more: object = {}): Answer =>
  json(status, { error: { message, ...more } });
const SYSTEM: ModelMessage[] = [
  { role: "system", content: "Be brief." },
  { role: "user", content: "Hi" },
];
const SCHEMA = { type: "object", properties: {} };

type Case = {
  readonly refusal: Answer;
  /** Whether the provider refuses the request. */
  readonly when: (body: Asked) => boolean;
  readonly request: Partial<ModelRequest>;
  readonly accepted: (body: Asked) => unknown;
  readonly is: unknown;
  readonly format?: "json_object" | "json_schema";
};

const CASES: Readonly<Record<string, Case>> = {
  "max_tokens, at newer OpenAI models": {
    refusal: refuse(
      "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
      400,
      { param: "max_tokens", code: "unsupported_parameter" },
    ),
    when: ({ max_tokens }) => max_tokens !== undefined,
    request: { maxTokens: 7 },
    accepted: ({ max_tokens, max_completion_tokens }) => [max_tokens, max_completion_tokens],
    is: [undefined, 7],
  },
  "stream_options, at Mistral": {
    refusal: json(422, {
      detail: [{ type: "extra_forbidden", loc: ["body", "stream_options"], msg: "Extra inputs are not permitted" }],
    }),
    when: ({ stream_options }) => stream_options !== undefined,
    request: {},
    accepted: ({ stream_options }) => stream_options,
    is: undefined,
  },
  "stream_options and max_tokens": {
    refusal: refuse("Unrecognized request arguments supplied: max_tokens, stream_options"),
    when: ({ stream_options, max_tokens }) => stream_options !== undefined || max_tokens !== undefined,
    request: { maxTokens: 7 },
    accepted: ({ stream_options, max_completion_tokens }) => [stream_options, max_completion_tokens],
    is: [undefined, 7],
  },
  "a json_schema": {
    refusal: refuse("This response_format type is unavailable now: json_schema is not supported"),
    when: ({ response_format }) => response_format?.type === "json_schema",
    request: { responseSchema: SCHEMA },
    format: "json_schema",
    accepted: ({ response_format }) => response_format,
    is: { type: "json_object" },
  },
  "any response_format": {
    refusal: refuse("'response_format' is not supported with this model"),
    when: ({ response_format }) => response_format !== undefined,
    request: { responseSchema: SCHEMA },
    format: "json_schema",
    accepted: ({ response_format }) => response_format,
    is: undefined,
  },
  "the system role, at o1-mini": {
    refusal: refuse("Unsupported value: 'messages[0].role' does not support 'system' with this model.", 400, {
      param: "messages[0].role",
    }),
    when: ({ messages }) => messages[0].role === "system",
    request: { messages: SYSTEM },
    accepted: ({ messages }) => messages,
    is: [{ role: "user", content: "Be brief.\n\nHi" }],
  },
  "the system role, in a template of llama.cpp": {
    refusal: refuse("Jinja Exception: System role not supported", 500, { type: "server_error" }),
    when: ({ messages }) => messages[0].role === "system",
    request: { messages: SYSTEM },
    accepted: ({ messages }) => messages[0].role,
    is: "user",
  },
  "the system role, at Gemini's Gemma": {
    refusal: json(400, [
      {
        error: {
          code: 400,
          message: "Developer instruction is not enabled for models/gemma-3-27b-it",
          status: "INVALID_ARGUMENT",
        },
      },
    ]),
    when: ({ messages }) => messages[0].role === "system",
    request: { messages: SYSTEM },
    accepted: ({ messages }) => messages[0].role,
    is: "user",
  },
  "a tool loop without its reasoning, at DeepSeek's models": {
    refusal: refuse("The `reasoning_content` in the thinking mode must be passed back to the API."),
    when: ({ messages }) => messages[3].reasoning_content === undefined,
    request: { messages: LOOP },
    accepted: ({ messages }) => messages.map(({ reasoning_content }: Asked) => reasoning_content),
    is: [undefined, undefined, undefined, "I need\n the weather. ", undefined],
  },
  "any assistant message without reasoning": {
    refusal: refuse("thinking is enabled but reasoning_content is missing in assistant tool call message at index 1"),
    when: ({ messages }) => messages[1].reasoning_content === undefined,
    request: { messages: LOOP },
    accepted: ({ messages }) => messages.map(({ reasoning_content }: Asked) => reasoning_content),
    is: [undefined, "Not this.", undefined, "I need\n the weather. ", undefined],
  },
  "ids of calls, at servers of Mistral's models": {
    refusal: refuse("Tool call id was 1 but must be a-z, A-Z, 0-9, with a length of 9."),
    when: ({ messages }) => messages[4].tool_call_id.length !== 9,
    request: { messages: LOOP },
    accepted: ({ messages }) => [
      messages[4].tool_call_id === messages[3].tool_calls[0].id,
      messages[4].tool_call_id.length,
    ],
    is: [true, 9],
  },
  "null for no text": {
    refusal: refuse("messages.3.content: Input should be a valid string"),
    when: ({ messages }) => messages[3].content === null,
    request: { messages: LOOP },
    accepted: ({ messages }) => messages[3].content,
    is: "",
  },
};

/** How a refusal travels: gateways that have accepted a request tell it in the stream, or as the whole answer. */
const WAYS: Readonly<Record<string, (refusal: Answer) => Answer>> = {
  "by its status": (refusal) => refusal,
  "in a stream": ({ body }) => ({
    status: 200,
    body: `: waiting\n\ndata: ${body}\n\ndata: [DONE]\n\n`,
    headers: { "content-type": "text/event-stream" },
  }),
  "as an event of its own": ({ body }) => ({
    status: 200,
    body: `event: error\ndata: ${body}\n\n`,
    headers: { "content-type": "text/event-stream" },
  }),
  "behind an empty chunk": ({ body }) => ({
    status: 200,
    body: `data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\n\ndata: ${body}\n\n`,
    headers: { "content-type": "text/event-stream" },
  }),
  "as a whole answer": ({ body, headers = {} }) => ({ status: 200, body, headers }),
};

const WAYS_AND_CASES = Object.keys(WAYS).flatMap((way) => Object.entries(CASES).map((each) => [way, ...each] as const));

describe("a request that a provider refuses for its form", () => {
  test.each(WAYS_AND_CASES)("%s: %s is sent again without it, and this is remembered", async (way, _, each) => {
    const { when, request, accepted, is, format } = each;
    const refusal = WAYS[way]?.(each.refusal) ?? each.refusal;
    await withProvider(
      (body) => (when(body) ? refusal : says("Yes.")),
      async ({ ask, asked }) => {
        expect((await ask(request)).content).toBe("Yes.");
        expect(accepted(asked.at(-1))).toEqual(is);
        const first = asked.length;
        expect(first).toBeGreaterThan(1);
        expect(first).toBeLessThan(4);
        expect((await ask(request)).content).toBe("Yes.");
        expect(asked).toHaveLength(first + 1);
        // Another model knows nothing of it.
        await ask({ ...request, model: "another" });
        expect(when(asked[first + 1])).toBe(true);
      },
      format === undefined ? {} : { responseFormat: format },
    );
  });

  test("the newer field for the most tokens turns into the older one where only that is known", async () => {
    await withProvider(
      ({ max_completion_tokens }) =>
        max_completion_tokens === undefined ? says("Yes.") : refuse("Unknown field: max_completion_tokens"),
      async ({ ask, asked }) => {
        const error = await failureOf(ask({ maxTokens: 7 }));
        expect(error.code).toBe("model_rejected");
        expect(asked).toHaveLength(1);
      },
      { form: { maxTokensField: "max_completion_tokens" } },
    );
  });

  test("a refusal that goes on ends as the provider says, after few requests", async () => {
    await withProvider(
      () =>
        refuse(
          "Unsupported: max_tokens, max_completion_tokens, stream_options, response_format, system role, content null",
        ),
      async ({ ask, asked }) => {
        const error = await failureOf(ask({ maxTokens: 7, messages: [...SYSTEM, ...LOOP], responseSchema: SCHEMA }));
        expect(error).toMatchObject({
          code: "model_rejected",
          message: expect.stringContaining("Unsupported: max_tokens"),
        });
        expect(asked.length).toBeLessThan(9);
      },
      { responseFormat: "json_schema" },
    );
  });

  test.each([
    [
      "a value",
      refuse("max_tokens is too large: 50000. This model supports at most 4096 completion tokens."),
      { maxTokens: 50_000 },
    ],
    [
      "a setting",
      refuse("Unsupported value: 'temperature' does not support 0.2 with this model."),
      { temperature: 0.2 },
    ],
    ["the rate", refuse("Unsupported rate for stream_options", 429), {}],
  ])("a refusal of %s is no reason to ask again", async (_, refusal, request) => {
    await withProvider(
      () => refusal,
      async ({ ask, asked }) => {
        await failureOf(ask(request));
        expect(asked).toHaveLength(1);
      },
    );
  });

  test("a schema that is at fault itself is not remembered against the model", async () => {
    await withProvider(
      ({ response_format }) =>
        response_format?.json_schema?.schema.bad
          ? refuse("Invalid schema for response_format 'response'")
          : says("Yes."),
      async ({ ask, asked }) => {
        await ask({ responseSchema: { bad: true } });
        await ask({ responseSchema: SCHEMA });
        expect(asked.map(({ response_format }) => response_format.type)).toEqual([
          "json_schema",
          "json_object",
          "json_schema",
        ]);
      },
      { responseFormat: "json_schema" },
    );
  });

  test("a refusal behind the first words of an answer ends it", async () => {
    const { body } = refuse("stream_options is not supported");
    await withProvider(
      () => ({
        status: 200,
        body: `data: {"choices":[{"index":0,"delta":{"content":"Yes"}}]}\n\ndata: ${body}\n\n`,
        headers: { "content-type": "text/event-stream" },
      }),
      async ({ ask, asked }) => {
        await failureOf(ask());
        expect(asked).toHaveLength(1);
      },
    );
  });
});
