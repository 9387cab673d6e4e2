/** The forms in which providers write text, reasoning, refusals, ends and failures. */
import { describe, expect, test } from "vitest";
import { DONE, delta, outcomeOf, type ProviderBody } from "../../../../../test/support/streaming-provider.ts";

const STOP = delta({}, "stop");

/** Text and thoughts of a turn with one chunk for each delta. */
async function readOf(...deltas: object[]): Promise<readonly [shown: string, thoughts: string]> {
  const { shown, thoughts, turn } = await outcomeOf([...deltas.map((each) => delta(each)), STOP, DONE]);
  expect(turn).toMatchObject({ content: shown, finishReason: "stop" });
  expect(turn?.reasoning ?? "").toBe(thoughts);
  return [shown, thoughts];
}

describe("content", () => {
  test.each<[string, unknown, string, string]>([
    [
      "a list of text",
      [
        { type: "text", text: "Hel" },
        { type: "text", text: "lo" },
      ],
      "Hello",
      "",
    ],
    ["a list of thoughts", [{ type: "thinking", thinking: [{ type: "text", text: "So." }] }], "", "So."],
    [
      "thoughts as text",
      [
        { type: "thinking", thinking: "So." },
        { type: "text", text: "Hello" },
      ],
      "Hello",
      "So.",
    ],
    ["a summary", [{ type: "reasoning", summary: [{ type: "summary_text", text: "So." }] }], "", "So."],
    ["one part", { type: "text", text: "Hello" }, "Hello", ""],
    ["parts with a value", [{ type: "text", text: { value: "Hello", annotations: [] } }], "Hello", ""],
    ["a list of strings", ["Hel", "lo"], "Hello", ""],
    ["output_text", [{ type: "output_text", text: "Hello" }], "Hello", ""],
    [
      "parts without text",
      [
        { type: "reference", reference_ids: [1] },
        { type: "image_url", image_url: {} },
      ],
      "",
      "",
    ],
    ["a number", 42, "42", ""],
    ["zero", 0, "0", ""],
    ["a boolean", false, "false", ""],
    ["JSON that a gateway has parsed", { answer: 42 }, '{"answer":42}', ""],
  ])("%s", async (_, content, shown, thoughts) => {
    // So that there is always an answer.
    expect(await readOf({ content }, { content: "!" })).toEqual([`${shown}!`, thoughts]);
  });

  test("null, missing and empty content is none", async () => {
    expect(await readOf({ role: "assistant", content: null }, {}, { content: "" }, { content: "Hello" })).toEqual([
      "Hello",
      "",
    ]);
  });

  test("a character whose halves come in two chunks is shown whole", async () => {
    expect(await readOf({ content: "\ud83c" }, { content: "\udf89" })).toEqual(["🎉", ""]);
  });
});

describe("reasoning", () => {
  test.each<[string, object]>([
    ["reasoning_content", { reasoning_content: "So." }],
    ["reasoning", { reasoning: "So." }],
    ["reasoning beside empty content", { reasoning: "So.", content: "" }],
    ["both names of one text", { reasoning: "So.", reasoning_content: "So." }],
    ["one name null", { reasoning_content: null, reasoning: "So." }],
    ["one name empty", { reasoning_content: "", reasoning: "So." }],
    ["thinking", { thinking: "So." }],
    ["thinking in an object", { thinking: { content: "So." } }],
    ["reasoning in an object", { reasoning: { text: "So." } }],
    ["reasoning_text", { reasoning_text: "So." }],
    ["reasoning_details", { reasoning_details: [{ type: "reasoning.text", text: "So.", signature: "x" }] }],
    ["a summary in details", { reasoning_details: [{ type: "reasoning.summary", summary: "So." }] }],
    ["details beside the text", { reasoning: "So.", reasoning_details: [{ type: "reasoning.text", text: "So." }] }],
    ["thinking_blocks", { reasoning_content: "So.", thinking_blocks: [{ type: "thinking", thinking: "So." }] }],
  ])("%s", async (_, fields) => {
    expect(await readOf(fields, { content: "Hello" })).toEqual(["Hello", "So."]);
  });

  test("encrypted reasoning shows nothing", async () => {
    const reasoning_details = [{ type: "reasoning.encrypted", data: "AAAA" }];
    const thinking_blocks = [{ type: "redacted_thinking", data: "AAAA" }];
    expect(await readOf({ reasoning_details }, { thinking_blocks }, { content: "Hello" })).toEqual(["Hello", ""]);
  });
});

describe("choices and messages", () => {
  const choice = (index: unknown, content: string) => ({ index, delta: { content }, finish_reason: null });

  test("choices of another index are not mixed in", async () => {
    const { shown } = await outcomeOf([
      { choices: [choice(0, "Hel"), choice(1, "Bon")] },
      { choices: [choice(1, "jour")] },
      { choices: [choice(0, "lo")] },
      { choices: [{ index: 1, delta: {}, finish_reason: "length" }] },
      STOP,
      DONE,
    ]);
    expect(shown).toBe("Hello");
  });

  test.each<[string, (content: string, at: number) => object]>([
    ["message in place of delta", (content) => ({ message: { content } })],
    ["a message that grows", (_, at) => ({ message: { content: "Hello world".slice(0, 4 * (at + 1)) } })],
    [
      "a message beside the delta",
      (content, at) => ({
        delta: { content },
        message: { content: "Hello world".slice(0, 4 * (at + 1)) },
      }),
    ],
    ["text of completions", (text) => ({ text })],
    ["a delta that is text", (content) => ({ delta: content })],
  ])("%s", async (_, choiceOf) => {
    const chunks = ["Hell", "o wo", "rld"].map((content, at) => ({
      choices: [{ index: 0, ...choiceOf(content, at) }],
    }));
    const last = { index: 0, finish_reason: "stop", message: { role: "assistant", content: "Hello world" } };
    const hasDeltas = "delta" in choiceOf("", 0);
    const { shown } = await outcomeOf([...chunks, hasDeltas ? { choices: [last] } : STOP, DONE]);
    expect(shown).toBe("Hello world");
  });
});

describe("a whole answer", () => {
  const whole = (message: object, more: object = {}): ProviderBody => ({
    events: [
      JSON.stringify({ object: "chat.completion", choices: [{ index: 0, message, finish_reason: "stop" }], ...more }),
    ],
    contentType: "application/json; charset=utf-8",
  });
  const CALL = { id: "a", type: "function", function: { name: "add", arguments: '{"x":1}' } };

  test("has text, reasoning and usage", async () => {
    const usage = { prompt_tokens: 2, completion_tokens: 3, total_tokens: 5 };
    const { shown, thoughts, turn } = await outcomeOf(whole({ content: "Hello", reasoning_content: "So." }, { usage }));
    expect([shown, thoughts]).toEqual(["Hello", "So."]);
    expect(turn).toMatchObject({ finishReason: "stop", usage: { input_tokens: 2, output_tokens: 3, total_tokens: 5 } });
  });

  test("has tool calls, also two of one id and none of an index", async () => {
    const { turn } = await outcomeOf(whole({ content: null, tool_calls: [CALL, CALL] }));
    expect(turn?.toolCalls.map(({ id }) => id)).toEqual(["a", "a_2"]);
    expect(turn?.finishReason).toBe("tool_calls");
  });

  test("is a refusal", async () => {
    expect((await outcomeOf(whole({ content: null, refusal: "No." }))).turn).toMatchObject({
      ...{ content: "No.", finishReason: "refusal" },
    });
  });

  test("has thoughts between tags that Gemini marks as a whole", async () => {
    const { shown, thoughts } = await outcomeOf(
      whole({ content: "<thought>So.</thought>Hello", extra_content: { google: { thought: true } } }),
    );
    expect([shown, thoughts]).toEqual(["Hello", "So."]);
  });

  test("is read whatever the type says, and over several lines", async () => {
    const text = JSON.stringify({ choices: [{ message: { content: "Hello" } }] }, null, 2);
    for (const contentType of ["text/event-stream", "text/plain", "application/problem+json", "application/json"]) {
      expect((await outcomeOf({ events: [text], contentType })).turn).toMatchObject({
        ...{ content: "Hello", finishReason: "stop" },
      });
    }
  });

  test("is its error", async () => {
    const error = {
      message: "You exceeded your current quota",
      type: "insufficient_quota",
      code: "insufficient_quota",
    };
    for (const contentType of ["application/json", "text/event-stream"]) {
      const { error: found } = await outcomeOf({ events: [JSON.stringify({ error })], contentType });
      expect(found?.code).toBe("model_quota_exceeded");
    }
  });

  test("that is empty or no JSON is broken", async () => {
    for (const events of [[], ["{"], ['{"choices":[]}']]) {
      expect((await outcomeOf({ events, contentType: "application/json" })).error?.code).toBe("model_stream_broken");
    }
  });
});

describe("ends", () => {
  const HELLO = delta({ content: "Hello" });

  test.each([
    ...[
      ["stop", "stop"],
      ["STOP", "stop"],
      ["eos", "stop"],
      ["eos_token", "stop"],
      ["end_turn", "stop"],
    ],
    ...[
      ["stop_sequence", "stop"],
      ["COMPLETE", "stop"],
      ["length", "length"],
      ["max_tokens", "length"],
    ],
    ...[
      ["MAX_TOKENS", "length"],
      ["model_length", "length"],
      ["content_filter", "content_filter"],
    ],
    ...[
      ["content_filtered", "content_filter"],
      ["SAFETY", "content_filter"],
      ["RECITATION", "content_filter"],
    ],
    ...[
      ["sensitive", "content_filter"],
      ["content-filter", "content_filter"],
      ["refusal", "refusal"],
    ],
    ["something new", "something new"],
  ] as [string, string][])("%s is %s", async (spelling, reason) => {
    expect((await outcomeOf([HELLO, delta({}, spelling), DONE])).turn?.finishReason).toBe(reason);
  });

  test.each(["error", "insufficient_system_resource", "network_error", "abort", "malformed_function_call"])(
    "%s is a failure",
    async (reason) => {
      const { error, shown } = await outcomeOf([HELLO, delta({}, reason), DONE]);
      expect([error?.code, shown]).toEqual(["model_unavailable", "Hello"]);
    },
  );

  test("an empty reason in every chunk is none", async () => {
    expect(
      (await outcomeOf([delta({ content: "Hel" }, ""), delta({ content: "lo" }, ""), STOP, DONE])).turn,
    ).toMatchObject({ content: "Hello", finishReason: "stop" });
    expect((await outcomeOf([delta({ content: "Hello" }, "")])).error?.code).toBe("model_stream_broken");
    expect((await outcomeOf([delta({ content: "Hello" }, "null")])).error?.code).toBe("model_stream_broken");
  });

  test("a stream that ends with [DONE] but without a reason is whole", async () => {
    for (const done of [DONE, "data: [DONE] \n\n", "data:[DONE]", "data: [DONE]\r\n\r\n", `${DONE}${DONE}`]) {
      expect((await outcomeOf([HELLO, done])).turn).toMatchObject({ content: "Hello", finishReason: "stop" });
    }
  });

  test("a stream that ends without either is broken, and so is one that says nothing", async () => {
    for (const events of [[HELLO], [], [DONE], [": hello\n\n"], [delta({ role: "assistant" }), DONE]]) {
      expect((await outcomeOf(events)).error?.code).toBe("model_stream_broken");
    }
    expect((await outcomeOf({ events: [HELLO], ending: "breaks" })).error?.code).toBe("model_stream_broken");
  });

  test("a connection that breaks or falls silent behind the end leaves the turn whole", async () => {
    expect((await outcomeOf({ events: [HELLO, STOP], ending: "breaks" })).turn?.content).toBe("Hello");
    expect((await outcomeOf({ events: [HELLO, STOP], ending: "stays" }, { idleMs: 300 })).turn?.content).toBe("Hello");
    const { error } = await outcomeOf({ events: [HELLO], ending: "stays" }, { idleMs: 300 });
    expect(error?.code).toBe("model_timeout");
  });

  test("what follows [DONE] is not read", async () => {
    expect((await outcomeOf([HELLO, STOP, DONE, delta({ content: "more" }), "data: {\n\n"])).shown).toBe("Hello");
  });

  test("a refusal is the answer's text with its mark", async () => {
    const { shown, turn } = await outcomeOf([delta({ refusal: "I " }), delta({ refusal: "cannot." }), STOP, DONE]);
    expect(shown).toBe("I cannot.");
    expect(turn).toMatchObject({ content: "I cannot.", finishReason: "refusal" });
    const parts = [{ type: "refusal", refusal: "I cannot." }];
    expect((await outcomeOf([delta({ content: parts }), STOP, DONE])).turn).toMatchObject({
      ...{ content: "I cannot.", finishReason: "refusal" },
    });
  });
});

describe("what is no chunk", () => {
  test.each([
    ["an empty object", "data: {}\n\n"],
    ["an empty event", "data: \n\ndata:\n\n"],
    ["a heartbeat", "data: [HEARTBEAT]\n\n"],
    ["a word", "data: ping\n\n"],
    ["null", "data: null\n\n"],
    ["a comment", ": OPENROUTER PROCESSING\n\n"],
    ["a named ping", 'event: ping\ndata: {"type": "ping"}\n\n'],
    ["no choices", 'data: {"choices":[],"prompt_filter_results":[{"content_filter_results":{}}]}\n\n'],
    ["a code of success", 'data: {"code":0,"message":"Success","sid":"x"}\n\n'],
    ["an error that is null", 'data: {"error":null,"choices":[]}\n\n'],
    ["an error that is empty", 'data: {"error":{"code":0,"message":""}}\n\n'],
    ["an unknown field", "hello: world\n\n"],
  ])("%s keeps the connection alive", async (_, text) => {
    expect(
      await outcomeOf([text, delta({ content: "Hel" }), text, delta({ content: "lo" }), STOP, text, DONE]),
    ).toMatchObject({
      ...{ shown: "Hello", error: null },
    });
  });

  test("several chunks in one event, and an event in an event, are read", async () => {
    const [a, b] = [delta({ content: "Hel" }), delta({ content: "lo" }, "stop")].map((each) => JSON.stringify(each));
    for (const body of [`data: ${a}\ndata: ${b}\n\n`, `data: data: ${a}\n\ndata: data: ${b}\n\n`, `${a}\n${b}\n`]) {
      expect((await outcomeOf([body])).shown).toBe("Hello");
    }
  });

  test("a byte order mark, CRLF and data without a space are read", async () => {
    const text = [delta({ content: "Hello" }, "stop"), DONE].map((each) =>
      typeof each === "string" ? each : `data:${JSON.stringify(each)}\n\n`,
    );
    expect((await outcomeOf([`\ufeff${text.join("")}`.replaceAll("\n", "\r\n")])).shown).toBe("Hello");
    expect((await outcomeOf([text.join("").replaceAll("\n", "\r")])).shown).toBe("Hello");
  });

  test("a chunk that was cut breaks the stream", async () => {
    const { error, shown } = await outcomeOf([delta({ content: "Hello" }), 'data: {"choices":[{"del\n\n', DONE]);
    expect([error?.code, shown]).toEqual(["model_stream_broken", "Hello"]);
  });
});

describe("failures in the stream", () => {
  const OVERLOADED = { message: "Overloaded", type: "overloaded_error", code: 503 };
  const LIMITED = { message: "slow down", code: "rate_limit_exceeded", type: "rate_limit_error" };
  const text = (value: unknown) => JSON.stringify(value);

  test.each<[string, string, string]>([
    ["an error", `data: ${text({ error: OVERLOADED })}\n\n`, "model_unavailable"],
    ["an error with a code", `data: ${text({ error: LIMITED })}\n\n`, "model_rate_limited"],
    ["an error with a status", `data: ${text({ error: { message: "no", status: 401 } })}\n\n`, "model_auth_failed"],
    ["an error that is text", `data: ${text({ error: "rate limit exceeded", status: 429 })}\n\n`, "model_rate_limited"],
    [
      "a list",
      `data: ${text([{ error: { code: 503, message: "The model is overloaded", status: "UNAVAILABLE" } }])}\n\n`,
      "model_unavailable",
    ],
    [
      "an event of the name",
      `event: error\ndata: ${text({ type: "error", error: OVERLOADED })}\n\n`,
      "model_unavailable",
    ],
    ["an event of the name with an error", `event: error\ndata: ${text({ error: LIMITED })}\n\n`, "model_rate_limited"],
    [
      "a field of the name",
      `error: ${text({ code: 503, message: "busy", type: "unavailable_error" })}\n\n`,
      "model_unavailable",
    ],
    [
      "an object of the name",
      `data: ${text({ object: "error", message: "busy", code: 503 })}\n\n`,
      "model_unavailable",
    ],
    [
      "a code and a message",
      `data: ${text({ code: 429, message: "TPM limit reached", data: null })}\n\n`,
      "model_rate_limited",
    ],
    [
      "a chunk with an error",
      `data: ${text({ error: LIMITED, ...delta({ content: "" }, "error") })}\n\n`,
      "model_rate_limited",
    ],
    [
      "a choice with an error",
      `data: ${text({ choices: [{ index: 0, delta: {}, error: LIMITED, finish_reason: "error" }] })}\n\n`,
      "model_rate_limited",
    ],
  ])("%s", async (_, event, code) => {
    expect((await outcomeOf([event, DONE])).error?.code).toBe(code);
    expect((await outcomeOf([event])).error?.code).toBe(code);
    const { error, shown } = await outcomeOf([delta({ content: "Hello" }), event, delta({ content: "more" }), DONE]);
    expect([error?.code, shown]).toEqual([code, "Hello"]);
  });

  test("the words of a request at fault are told without the platform's key", async () => {
    const error = { message: "No such voice; key-of-the-platform", type: "invalid_request_error", code: 400 };
    const { error: found } = await outcomeOf([{ error }]);
    expect(found?.code).toBe("model_rejected");
    expect(found?.message).toContain("No such voice");
    expect(found?.message).not.toContain("key-of-the-platform");
  });

  test("a context that is exceeded is told as such", async () => {
    const message = "the request exceeds the available context size, try increasing it";
    expect(
      (await outcomeOf([`error: ${text({ code: 400, message, type: "invalid_request_error" })}\n\n`])).error?.code,
    ).toBe("model_context_exceeded");
  });
});

describe("the watchdog", () => {
  test.each([{ reasoning: "So. " }, { content: "<think>" }, { content: [{ type: "thinking", thinking: "So. " }] }])(
    "is fed by %j",
    async (each) => {
      const { error } = await outcomeOf(
        { events: [delta(each)], ending: "stays" },
        { firstTokenMs: 60_000, idleMs: 100 },
      );
      expect(error?.message).toContain("fell silent");
    },
  );
});
