/** Ollama. */
import type { Provider } from "./provider-case.ts";
import { call, choices, chunk, DONE, FINE, failure, stream, usageChunk } from "./wire.ts";

const API = "ollama/ollama: openai/openai.go";
const WRITER = "ollama/ollama: middleware/openai.go";

export const ollama: Provider = {
  name: "Ollama",
  settings: "`OPENAI_BASE_URL=http://127.0.0.1:11434/v1`",
  cases: [
    {
      title: "thinking has a field of its own",
      source: API,
      answers: [
        stream(
          chunk({ role: "assistant", content: "", reasoning: "Okay" }),
          chunk({ content: "", reasoning: ", greet." }),
          chunk({ content: "Hello" }),
          chunk({}, "stop"),
          usageChunk(26, 30),
          DONE,
        ),
      ],
      expect: { shown: "Hello", thoughts: "Okay, greet.", finishReason: "stop", usage: [26, 30, 56] },
    },
    {
      title: "an older version leaves the tags of thinking in the text",
      source: "https://github.com/ollama/ollama/releases/tag/v0.9.0",
      answers: [
        stream(
          chunk({ role: "assistant", content: "<think>" }),
          chunk({ content: "\n\n" }),
          chunk({ content: "</think>" }),
          chunk({ content: "\n\n" }),
          chunk({ content: "Hello" }),
          chunk({ content: "" }, "stop"),
          DONE,
        ),
      ],
      expect: { shown: "Hello", thoughts: "\n\n", finishReason: "stop" },
    },
    {
      title: "two whole calls have the same index",
      source: "https://github.com/ollama/ollama/issues/15457",
      request: { tools: true },
      answers: [
        stream(
          chunk({ role: "assistant", content: "", tool_calls: [call("call_x1", '{"word":"ink"}')] }),
          chunk({ role: "assistant", content: "", tool_calls: [call("call_x2", '{"word":"pen"}')] }),
          chunk({ role: "assistant", content: "" }, "tool_calls"),
          DONE,
        ),
      ],
      expect: {
        calls: [
          { id: "call_x1", name: "lookup", args: { word: "ink" } },
          { id: "call_x2", name: "lookup", args: { word: "pen" } },
        ],
      },
    },
    {
      title: "an older version sends calls without index",
      source: "https://github.com/ollama/ollama/issues/7881",
      request: { tools: true },
      answers: [
        stream(
          chunk({
            tool_calls: [
              { id: "call_y1", type: "function", function: { name: "lookup", arguments: '{"word":"ink"}' } },
            ],
          }),
          chunk({
            tool_calls: [
              { id: "call_y2", type: "function", function: { name: "lookup", arguments: '{"word":"pen"}' } },
            ],
          }),
          chunk({ content: "" }, "stop"),
          DONE,
        ),
      ],
      expect: {
        calls: [
          { id: "call_y1", name: "lookup", args: { word: "ink" } },
          { id: "call_y2", name: "lookup", args: { word: "pen" } },
        ],
      },
    },
    {
      title: "arguments that are no JSON object go back as an empty one, which it would refuse otherwise",
      source: API,
      by: "loop",
      answers: [
        stream(chunk({ tool_calls: [call("call_x3", '{"word": ink')] }), chunk({}, "tool_calls"), DONE),
        stream(chunk({ tool_calls: [call("call_x4", "[1]")] }), chunk({}, "tool_calls"), DONE),
        FINE,
      ],
      expect: {
        shown: "All fine.",
        calls: [
          { id: "call_x3", name: "lookup", args: '{"word": ink' },
          { id: "call_x4", name: "lookup", args: [1] },
        ],
        sent: [
          {},
          {},
          {
            has: {
              messages: [
                {},
                { tool_calls: [{ id: "call_x3", function: { arguments: "{}" } }] },
                { role: "tool", tool_call_id: "call_x3" },
                { tool_calls: [{ id: "call_x4", function: { arguments: "{}" } }] },
                { role: "tool", tool_call_id: "call_x4" },
              ],
            },
          },
        ],
      },
    },
    {
      title: "arguments come as an object",
      source: "https://github.com/ollama/ollama/blob/main/docs/api.md",
      request: { tools: true },
      answers: [stream(chunk({ tool_calls: [call("call_x5", { word: "ink" })] }), chunk({}, "tool_calls"), DONE)],
      expect: { calls: [{ id: "call_x5", name: "lookup", args: { word: "ink" } }] },
    },
    {
      title: "a model that is not there is told with how to get it",
      source: WRITER,
      answers: [
        failure(404, {
          error: {
            message: 'model "qwen9" not found, try pulling it first',
            type: "not_found_error",
            param: null,
            code: null,
          },
        }),
      ],
      expect: { error: { code: "model_rejected", says: "try pulling it first" } },
    },
    {
      title: "an error is a text",
      source: "https://github.com/ollama/ollama/blob/main/docs/api.md",
      answers: [failure(400, { error: "registry.ollama.ai/library/m does not support tools" })],
      expect: { error: { code: "model_rejected", says: "does not support tools" } },
    },
    {
      title: "an error within the stream is a text",
      source: "https://github.com/ollama/ollama/blob/main/docs/api.md",
      answers: [stream(chunk({ content: "It" }), { error: "an error was encountered while running the model" })],
      expect: { shown: "It", error: { code: "model_stream_broken" } },
    },
    {
      title: "a prompt beyond the context is told by the runner",
      source: "ollama/ollama: llm/llama_server.go",
      answers: [
        failure(400, {
          error: {
            message: "the prompt is longer than the context length currently available to the model",
            type: "invalid_request_error",
            param: null,
            code: null,
          },
        }),
      ],
      expect: { error: { code: "model_context_exceeded" } },
    },
    {
      title: "a runner that died is tried again",
      source: "https://github.com/ollama/ollama/issues/11380",
      answers: [
        failure(500, {
          error: { message: "model runner has unexpectedly stopped", type: "api_error", param: null, code: null },
        }),
      ],
      expect: { error: { code: "model_unavailable" } },
    },
    {
      title: "a call with the finish of stop is made",
      source: API,
      by: "loop",
      answers: [
        stream(
          choices([{ index: 0, delta: { tool_calls: [call("call_x6", '{"word":"ink"}')] }, finish_reason: "stop" }]),
          DONE,
        ),
        FINE,
      ],
      expect: { shown: "All fine.", calls: [{ id: "call_x6", name: "lookup", args: { word: "ink" } }] },
    },
  ],
};
