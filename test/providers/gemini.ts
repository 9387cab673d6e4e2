/** Google Gemini by its OpenAI-compatible endpoint. */
import type { Provider } from "./provider-case.ts";
import { choices, chunk, DONE, FINE, failure, stream, usage } from "./wire.ts";

const SIGNATURES = "https://ai.google.dev/gemini-api/docs/thought-signatures";
const SIGNATURE = { google: { thought_signature: "EjQKMgEMOdbH+/JChLX75QUCJjyYlm==" } };

const calling = (word: string, more: object = {}) => ({
  type: "function",
  function: { name: "lookup", arguments: JSON.stringify({ word }) },
  ...more,
});

export const gemini: Provider = {
  name: "Google Gemini",
  settings: "`OPENAI_BASE_URL=https://generativelanguage.googleapis.com/v1beta/openai`",
  cases: [
    {
      title: "a thought signature goes back with its call, byte for byte",
      source: SIGNATURES,
      by: "loop",
      request: { options: { model: "gemini-3-pro-preview" } },
      answers: [
        stream(
          chunk(
            { role: "assistant", tool_calls: [calling("ink", { id: "jm4o", extra_content: SIGNATURE })] },
            "tool_calls",
          ),
          DONE,
        ),
        FINE,
      ],
      expect: {
        shown: "All fine.",
        calls: [{ id: "jm4o", name: "lookup", args: { word: "ink" } }],
        sent: [
          {},
          {
            has: {
              messages: [{}, { tool_calls: [{ id: "jm4o", extra_content: SIGNATURE }] }, { tool_call_id: "jm4o" }],
            },
          },
        ],
      },
    },
    {
      title: "of two calls only the first has a signature, and it stays with the first",
      source: "vercel/ai: packages/openai-compatible/src/chat/openai-compatible-chat-language-model.test.ts",
      by: "loop",
      request: { options: { model: "gemini-3-pro-preview" } },
      answers: [
        stream(
          chunk({ tool_calls: [calling("ink", { index: 0, id: "a1", extra_content: SIGNATURE })] }),
          chunk({ tool_calls: [calling("pen", { index: 1, id: "a2" })] }, "stop"),
          DONE,
        ),
        FINE,
      ],
      expect: {
        shown: "All fine.",
        calls: [
          { id: "a1", name: "lookup", args: { word: "ink" } },
          { id: "a2", name: "lookup", args: { word: "pen" } },
        ],
        sent: [
          {},
          {
            has: { messages: [{}, { tool_calls: [{ extra_content: SIGNATURE }, { id: "a2" }] }, {}, {}] },
            lacks: ["messages[1].tool_calls[1].extra_content"],
          },
        ],
      },
    },
    {
      title: "calls without index come one in each chunk",
      source: "https://github.com/noho/dayu-agent/issues/45",
      request: { tools: true },
      answers: [
        stream(
          chunk({ tool_calls: [calling("ink", { id: "b1" })] }),
          chunk({ tool_calls: [calling("pen", { id: "b2" })] }),
          chunk({}, "tool_calls"),
          DONE,
        ),
      ],
      expect: {
        calls: [
          { id: "b1", name: "lookup", args: { word: "ink" } },
          { id: "b2", name: "lookup", args: { word: "pen" } },
        ],
      },
    },
    {
      title: "calls with empty ids are told apart, and the turn is no final answer",
      source:
        "pydantic/pydantic-ai: tests/models/cassettes/test_openai/test_compatible_api_with_tool_calls_without_id.yaml",
      by: "loop",
      answers: [
        stream(chunk({ tool_calls: [calling("ink", { id: "" }), calling("pen", { id: "" })] }, "stop"), DONE),
        FINE,
      ],
      expect: {
        shown: "All fine.",
        calls: [
          { name: "lookup", args: { word: "ink" } },
          { name: "lookup", args: { word: "pen" } },
        ],
        sent: [{}, { has: { messages: [{}, {}, { content: "found ink" }, { content: "found pen" }] } }],
      },
    },
    {
      title: "thoughts come as marked text in tags",
      source: "https://ai.google.dev/gemini-api/docs/openai#thinking",
      answers: [
        stream(
          chunk({ role: "assistant", content: "<thought>Compare ", extra_content: { google: { thought: true } } }),
          chunk({ content: "both.\n", extra_content: { google: { thought: true } } }),
          chunk({ content: "</thought>The second." }),
          chunk({ content: "" }, "stop"),
          DONE,
        ),
      ],
      expect: { shown: "The second.", thoughts: "Compare both.\n", finishReason: "stop" },
    },
    {
      title: "the total counts thoughts that neither part counts",
      source:
        "pydantic/pydantic-ai: tests/models/cassettes/test_openai/test_compatible_api_with_tool_calls_without_id.yaml",
      answers: [stream(chunk({ role: "assistant", content: "Noon." }, "stop", usage(35, 12, 109)), DONE)],
      expect: { shown: "Noon.", usage: [35, 12, 109] },
    },
    {
      title: "an error comes in a list",
      source: "https://github.com/0xsline/OpenChatCut/issues/6",
      answers: [
        failure(400, [
          {
            error: { code: 400, message: "Function call is missing a thought_signature.", status: "INVALID_ARGUMENT" },
          },
        ]),
      ],
      expect: { error: { code: "model_rejected", says: "missing a thought_signature" } },
    },
    {
      title: "a rate limit comes in a list, with the time to wait in its details",
      source: "vercel/ai: packages/google/src/__fixtures__/google-429-retry-info.json",
      answers: [
        failure(429, [
          {
            error: {
              code: 429,
              message: "Resource has been exhausted.",
              status: "RESOURCE_EXHAUSTED",
              details: [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "19s" }],
            },
          },
        ]),
      ],
      expect: { error: { code: "model_rate_limited" } },
    },
    {
      title: "a wrong key has status 400",
      source: "https://ai.google.dev/gemini-api/docs/troubleshooting",
      answers: [
        failure(400, [
          {
            error: {
              code: 400,
              message: "API key not valid. Please pass a valid API key.",
              status: "INVALID_ARGUMENT",
              details: [{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "API_KEY_INVALID" }],
            },
          },
        ]),
      ],
      expect: { error: { code: "model_auth_failed" } },
    },
    {
      title: "an overloaded model is tried again",
      source: "https://ai.google.dev/gemini-api/docs/troubleshooting",
      answers: [failure(503, [{ error: { code: 503, message: "The model is overloaded.", status: "UNAVAILABLE" } }])],
      expect: { error: { code: "model_unavailable" } },
    },
    {
      title: "an input beyond the context is told by its token count",
      source: "https://ai.google.dev/gemini-api/docs/troubleshooting",
      answers: [
        failure(400, [
          {
            error: {
              code: 400,
              message: "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
              status: "INVALID_ARGUMENT",
            },
          },
        ]),
      ],
      expect: { error: { code: "model_context_exceeded" } },
    },
    {
      title: "an answer that safety blocked is empty and says why in a word of its own",
      source: "https://github.com/HKUDS/Vibe-Trading/pull/308",
      answers: [stream(choices([{ index: 0, delta: { role: "assistant" }, finish_reason: "SAFETY" }]), DONE)],
      expect: { finishReason: "content_filter" },
    },
  ],
};
