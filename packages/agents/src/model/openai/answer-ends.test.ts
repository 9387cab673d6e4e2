/** How answers end, whole, broken or as a failure, and what in a stream is no part of them. */
import { describe, expect, test } from "vitest";
import { DONE, delta, outcomeOf } from "../../../../../test/support/streaming-provider.ts";

const STOP = delta({}, "stop");

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
    "the watchdog is fed by %j",
    async (each) => {
      const { error } = await outcomeOf(
        { events: [delta(each)], ending: "stays" },
        { firstTokenMs: 60_000, idleMs: 100 },
      );
      expect(error?.message).toContain("fell silent");
    },
  );
});
