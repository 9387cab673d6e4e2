/** The forms in which providers write text and reasoning, in chunks and whole. */
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

  test("a whole answer has text, reasoning and usage", async () => {
    const usage = { prompt_tokens: 2, completion_tokens: 3, total_tokens: 5 };
    const { shown, thoughts, turn } = await outcomeOf(whole({ content: "Hello", reasoning_content: "So." }, { usage }));
    expect([shown, thoughts]).toEqual(["Hello", "So."]);
    expect(turn).toMatchObject({ finishReason: "stop", usage: { input_tokens: 2, output_tokens: 3, total_tokens: 5 } });
  });

  test("a whole answer has tool calls, also two of one id and none of an index", async () => {
    const { turn } = await outcomeOf(whole({ content: null, tool_calls: [CALL, CALL] }));
    expect(turn?.toolCalls.map(({ id }) => id)).toEqual(["a", "a_2"]);
    expect(turn?.finishReason).toBe("tool_calls");
  });

  test("a whole answer may be a refusal", async () => {
    expect((await outcomeOf(whole({ content: null, refusal: "No." }))).turn).toMatchObject({
      ...{ content: "No.", finishReason: "refusal" },
    });
  });

  test("a whole answer has thoughts between tags that Gemini marks as a whole", async () => {
    const { shown, thoughts } = await outcomeOf(
      whole({ content: "<thought>So.</thought>Hello", extra_content: { google: { thought: true } } }),
    );
    expect([shown, thoughts]).toEqual(["Hello", "So."]);
  });

  test("a whole answer is read whatever the type says, and over several lines", async () => {
    const text = JSON.stringify({ choices: [{ message: { content: "Hello" } }] }, null, 2);
    for (const contentType of ["text/event-stream", "text/plain", "application/problem+json", "application/json"]) {
      expect((await outcomeOf({ events: [text], contentType })).turn).toMatchObject({
        ...{ content: "Hello", finishReason: "stop" },
      });
    }
  });

  test("a whole answer may be an error", async () => {
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

  test("a whole answer that is empty or no JSON is broken", async () => {
    for (const events of [[], ["{"], ['{"choices":[]}']]) {
      expect((await outcomeOf({ events, contentType: "application/json" })).error?.code).toBe("model_stream_broken");
    }
  });
});
