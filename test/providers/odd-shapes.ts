/** Shapes of calls, ends, usage and failures that no document names: variants of our own of what is documented. */
import type { ProviderCase } from "./provider-case.ts";
import { choices, chunk, DONE, stream, usage } from "./wire.ts";

const SOURCE = "https://platform.openai.com/docs/api-reference/chat-streaming";
const CALL = { id: "call_1", function: { name: "lookup", arguments: '{"word":"ink"}' } };
const CALLED = [{ id: "call_1", name: "lookup", args: { word: "ink" } }];

const calls = (title: string, delta: object): ProviderCase => ({
  title,
  source: SOURCE,
  request: { tools: true },
  answers: [stream(chunk(delta), chunk({}, "tool_calls"), DONE)],
  expect: { calls: CALLED, finishReason: "tool_calls" },
});

const ends = (title: string, ...events: (object | string)[]): ProviderCase => ({
  title,
  source: SOURCE,
  answers: [stream(...events)],
  expect: { shown: "Fine.", finishReason: "stop" },
});

const counts = (title: string, ...events: (object | string)[]): ProviderCase => ({
  title,
  source: SOURCE,
  answers: [stream(...events, DONE)],
  expect: { shown: "Fine.", usage: [8, 2, 10] },
});

export const ODD_SHAPES: readonly ProviderCase[] = [
  calls("calls come by their places", { tool_calls: { 0: CALL } }),
  calls("calls come as JSON in a string", { tool_calls: JSON.stringify([CALL]) }),
  calls("calls come under a name in camel case", { toolCalls: [CALL] }),
  calls("a call has its name in the place of the function", {
    tool_calls: [{ id: "call_1", function: "lookup", arguments: '{"word":"ink"}' }],
  }),
  calls("a call is a part of the content", {
    content: [{ type: "tool_use", id: "call_1", name: "lookup", input: { word: "ink" } }],
  }),
  {
    ...calls("calls stand beside the delta", {}),
    answers: [
      stream(
        choices([{ index: 0, delta: {}, tool_calls: [CALL], finish_reason: null }]),
        chunk({}, "tool_calls"),
        DONE,
      ),
    ],
  },
  ends("the only choice is no list", { choices: { index: 0, delta: { content: "Fine." }, finish_reason: "stop" } }),
  ends("the end has Anthropic's name", choices([{ index: 0, delta: { content: "Fine." }, stop_reason: "end_turn" }])),
  ends("the end stands beside the choices", {
    ...choices([{ index: 0, delta: { content: "Fine." } }]),
    finish_reason: "stop",
  }),
  ends("the last event is written small", chunk({ content: "Fine." }), "data: [done]\n\n"),
  ends("the last event is JSON", chunk({ content: "Fine." }), 'data: "[DONE]"\n\n'),
  ends("the last event has a name of its own", chunk({ content: "Fine." }), "event: done\ndata: {}\n\n"),
  counts("the usage is a part of the delta", chunk({ content: "Fine.", ...usage(8, 2) }, "stop")),
  counts("the usage has Gemini's name and place", chunk({ content: "Fine." }, "stop"), {
    ...choices([]),
    usageMetadata: { promptTokenCount: 8, candidatesTokenCount: 2, totalTokenCount: 10 },
  }),
  {
    title: "an end for calls without any call is no answer",
    source: SOURCE,
    request: { tools: true },
    answers: [stream(chunk({ content: "" }), chunk({}, "tool_calls"), DONE)],
    expect: { error: { code: "model_stream_broken" } },
  },
  {
    title: "a failure is a part of the delta",
    source: SOURCE,
    answers: [stream(chunk({ error: { message: "top_k is not known", code: 400 } }))],
    expect: { error: { code: "model_rejected", says: "top_k is not known" } },
  },
];
