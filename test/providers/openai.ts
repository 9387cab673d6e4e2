/** OpenAI: older and newer models. */
import type { Provider } from "./provider-case.ts";
import { call, choices, chunk, DONE, FINE, failure, stream, usageChunk } from "./wire.ts";

const API = "https://platform.openai.com/docs/api-reference/chat-streaming";
const ERRORS = "https://platform.openai.com/docs/guides/error-codes";

const UNSUPPORTED_MAX_TOKENS = failure(400, {
  error: {
    message:
      "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
    type: "invalid_request_error",
    param: "max_tokens",
    code: "unsupported_parameter",
  },
});

export const openai: Provider = {
  name: "OpenAI",
  settings: "`LLM_MODEL`",
  cases: [
    {
      title: "usage comes in a chunk without choices, beside fields that no client needs",
      source: "pydantic/pydantic-ai: tests/models/cassettes/test_openai/test_openai_moderation_stream.yaml",
      answers: [
        stream(
          chunk({ role: "assistant", content: "", refusal: null }, null, {
            service_tier: "default",
            obfuscation: "xQ2",
          }),
          chunk({ content: "Lisbon" }, null, { usage: null, obfuscation: "9w" }),
          chunk({}, "stop", { usage: null }),
          usageChunk(13, 4),
          choices([], { moderation: { input: { type: "moderation_results", results: [{ flagged: false }] } } }),
          DONE,
        ),
      ],
      expect: { shown: "Lisbon", finishReason: "stop", usage: [13, 4, 17] },
    },
    {
      title: "a refusal is the answer's text and says so",
      source: API,
      answers: [
        stream(
          chunk({ role: "assistant", content: null, refusal: "" }),
          chunk({ refusal: "I cannot help " }),
          chunk({ refusal: "with that." }),
          chunk({}, "stop"),
          DONE,
        ),
      ],
      expect: { shown: "I cannot help with that.", finishReason: "refusal" },
    },
    {
      title: "reasoning that uses up all tokens leaves an empty answer that was cut by length",
      source: "https://platform.openai.com/docs/guides/reasoning",
      answers: [stream(chunk({ role: "assistant", content: "" }), chunk({}, "length"), usageChunk(20, 512), DONE)],
      expect: { finishReason: "length", usage: [20, 512, 532] },
    },
    {
      title: "an answer that the content filter cut keeps what was sent",
      source: API,
      answers: [stream(chunk({ content: "The first step" }), chunk({}, "content_filter"), DONE)],
      expect: { shown: "The first step", finishReason: "content_filter" },
    },
    {
      title: "the pieces of two calls interleave",
      source: API,
      answers: [
        stream(
          chunk({ role: "assistant", content: null, tool_calls: [call("call_a", "")] }),
          chunk({ tool_calls: [{ index: 0, function: { arguments: '{"word":"' } }] }),
          chunk({ tool_calls: [call("call_b", "", { index: 1 })] }),
          chunk({ tool_calls: [{ index: 1, function: { arguments: '{"word":"日\\n"}' } }] }),
          chunk({ tool_calls: [{ index: 0, function: { arguments: '\\u00e9🎉"}' } }] }),
          chunk({}, "tool_calls"),
          DONE,
        ),
      ],
      expect: {
        calls: [
          { id: "call_a", name: "lookup", args: { word: "é🎉" } },
          { id: "call_b", name: "lookup", args: { word: "日\n" } },
        ],
        finishReason: "tool_calls",
      },
    },
    {
      title: "a legacy function call is a tool call, and its result goes back",
      source: "https://platform.openai.com/docs/api-reference/chat/create (function_call, deprecated)",
      by: "loop",
      answers: [
        stream(
          chunk({ role: "assistant", content: null, function_call: { name: "lookup", arguments: "" } }),
          chunk({ function_call: { arguments: '{"word"' } }),
          chunk({ function_call: { arguments: ':"ink"}' } }),
          chunk({}, "function_call"),
          DONE,
        ),
        FINE,
      ],
      expect: {
        shown: "All fine.",
        calls: [{ name: "lookup", args: { word: "ink" } }],
        sent: [{}, { has: { messages: [{}, { role: "assistant" }, { role: "tool", content: "found ink" }] } }],
      },
    },
    {
      title: "a call that was cut by length does not run, and the model is told",
      source: API,
      by: "loop",
      answers: [stream(chunk({ tool_calls: [call("call_a", '{"word":"i')] }), chunk({}, "length"), DONE), FINE],
      expect: {
        shown: "All fine.",
        calls: [{ id: "call_a", name: "lookup", args: '{"word":"i' }],
        sent: [
          {},
          {
            has: {
              messages: [
                {},
                { role: "assistant", tool_calls: [{ id: "call_a", function: { name: "lookup", arguments: "{}" } }] },
                { role: "tool", tool_call_id: "call_a" },
              ],
            },
          },
        ],
      },
    },
    {
      title: "a newer model wants max_completion_tokens, which is remembered",
      source: "vercel/ai: packages/openai/src/chat/__fixtures__/reasoning-model-legacy-parameter-error.json",
      request: { options: { model: "o4-mini", maxTokens: 64 } },
      times: 2,
      answers: [UNSUPPORTED_MAX_TOKENS, FINE, FINE],
      expect: {
        shown: "All fine.",
        usage: [9, 3, 12],
        sent: [
          { has: { max_tokens: 64 }, lacks: ["max_completion_tokens"] },
          { has: { max_completion_tokens: 64 }, lacks: ["max_tokens"] },
          { has: { max_completion_tokens: 64 }, lacks: ["max_tokens"] },
        ],
      },
    },
    {
      title: "an unsupported temperature is an error that names the field",
      source: "vercel/ai: packages/openai/src/responses/__fixtures__/reasoning-model-temperature-error.json",
      request: { options: { model: "o4-mini", temperature: 0.2 } },
      answers: [
        failure(400, {
          error: {
            message: "Unsupported value: 'temperature' does not support 0.2 with this model.",
            type: "invalid_request_error",
            param: "temperature",
            code: "unsupported_value",
          },
        }),
      ],
      expect: { error: { code: "model_rejected", says: "temperature" } },
    },
    {
      title: "a used-up quota is not a rate limit",
      source: "vercel/ai: packages/openai/src/responses/__fixtures__/openai-error.1.json",
      answers: [
        failure(429, {
          error: { message: "You exceeded your quota.", type: "insufficient_quota", param: null, code: null },
        }),
      ],
      expect: { error: { code: "model_quota_exceeded" } },
    },
    {
      title: "a rate limit says in milliseconds when to come again",
      source: "openai/openai-node: src/client.ts (retry-after-ms)",
      answers: [
        failure(
          429,
          { error: { message: "Rate limit reached.", type: "tokens", param: null, code: "rate_limit_exceeded" } },
          { "retry-after-ms": "850", "retry-after": "1" },
        ),
      ],
      expect: { error: { code: "model_rate_limited", retryAfterMs: 850 } },
    },
    {
      title: "a wrong key is not told to the user",
      source: ERRORS,
      answers: [
        failure(401, {
          error: {
            message: "Incorrect API key provided: key-of-the-platform.",
            type: "invalid_request_error",
            param: null,
            code: "invalid_api_key",
          },
        }),
      ],
      expect: { error: { code: "model_auth_failed" } },
    },
    {
      title: "an unknown model is named",
      source: ERRORS,
      request: { options: { model: "gpt-9" } },
      answers: [
        failure(404, {
          error: {
            message: "The model `gpt-9` does not exist or you do not have access to it.",
            type: "invalid_request_error",
            param: null,
            code: "model_not_found",
          },
        }),
      ],
      expect: { error: { code: "model_rejected", says: "gpt-9" } },
    },
    {
      title: "a conversation beyond the context is told by its code",
      source: "https://github.com/mckaywrigley/chatbot-ui/issues/102",
      answers: [
        failure(400, {
          error: {
            message: "This model's maximum context length is 4097 tokens. However, you requested 4120 tokens.",
            type: "invalid_request_error",
            param: "messages",
            code: "context_length_exceeded",
          },
        }),
      ],
      expect: { error: { code: "model_context_exceeded" } },
    },
    {
      title: "an error within the stream ends it, and may be tried again",
      source: ERRORS,
      answers: [
        stream(chunk({ content: "Once" }), {
          error: { message: "The server had an error.", type: "server_error", param: null, code: null },
        }),
      ],
      expect: { shown: "Once", error: { code: "model_stream_broken" } },
    },
    {
      title: "a quota that ends before the first token is told within the stream",
      source: "vercel/ai: packages/openai/src/responses/__fixtures__/openai-error.1.chunks.txt",
      answers: [
        stream({
          error: { type: "insufficient_quota", code: "insufficient_quota", message: "No quota.", param: null },
        }),
      ],
      expect: { error: { code: "model_quota_exceeded" } },
    },
    {
      title: "the page of a proxy in front says nothing to the user",
      source: "https://developers.cloudflare.com/support/troubleshooting/http-status-codes/cloudflare-5xx-errors/",
      answers: [failure(502, "<html><head><title>502 Bad Gateway</title></head><body>cloudflare</body></html>")],
      expect: { error: { code: "model_unavailable" } },
    },
  ],
};
