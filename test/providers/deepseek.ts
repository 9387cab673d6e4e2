/** DeepSeek. */
import type { Provider } from "./provider-case.ts";
import { call, chunk, DONE, FINE, failure, stream, usage } from "./wire.ts";

const THINKING_DOCS = "https://api-docs.deepseek.com/guides/thinking_mode";
const REASONING = "The user asks\n  for “ink” 墨 — look it up. ";

export const deepseek: Provider = {
  name: "DeepSeek",
  settings: "`OPENAI_BASE_URL=https://api.deepseek.com/v1`",
  cases: [
    {
      title: "reasoning comes before the answer, and usage with the end",
      source: "vercel/ai: packages/deepseek/src/chat/__fixtures__/deepseek-reasoning.chunks.txt",
      answers: [
        stream(
          chunk({ role: "assistant", content: null, reasoning_content: "" }, null, { usage: null }),
          chunk({ content: null, reasoning_content: "Three letters. " }),
          chunk({ content: null, reasoning_content: "Yes." }),
          chunk({ content: "Three", reasoning_content: null }),
          chunk({ content: ".", reasoning_content: null }),
          chunk({ content: "", reasoning_content: null }, "stop", {
            usage: {
              ...usage(18, 219).usage,
              prompt_cache_hit_tokens: 0,
              completion_tokens_details: { reasoning_tokens: 205 },
            },
          }),
          DONE,
        ),
      ],
      expect: { shown: "Three.", thoughts: "Three letters. Yes.", finishReason: "stop", usage: [18, 219, 237] },
    },
    {
      title: "comments and empty lines keep the stream alive",
      source: "https://api-docs.deepseek.com/quick_start/rate_limit",
      answers: [
        stream(": keep-alive\n\n", "\n\n", ": keep-alive\n\n", chunk({ content: "Late." }, "stop"), "\n", DONE),
      ],
      expect: { shown: "Late.", finishReason: "stop" },
    },
    {
      title: "a whole answer may begin with empty lines",
      source: "https://api-docs.deepseek.com/quick_start/rate_limit",
      answers: [
        {
          headers: { "content-type": "application/json" },
          body: `\n\n\n${JSON.stringify({
            choices: [{ index: 0, message: { role: "assistant", content: "Late." }, finish_reason: "stop" }],
            ...usage(4, 2),
          })}`,
        },
      ],
      expect: { shown: "Late.", finishReason: "stop", usage: [4, 2, 6] },
    },
    {
      title: "reasoning goes back byte for byte within a tool loop",
      source: THINKING_DOCS,
      by: "loop",
      request: { options: { model: "deepseek-reasoner" } },
      answers: [
        stream(
          chunk({ role: "assistant", content: null, reasoning_content: REASONING.slice(0, 20) }),
          chunk({ reasoning_content: REASONING.slice(20) }),
          chunk({ content: "", tool_calls: [call("call_00_x", "")] }),
          chunk({ tool_calls: [{ index: 0, function: { arguments: '{"word": "ink"}' } }] }),
          chunk({ content: "", reasoning_content: null }, "tool_calls", usage(339, 83)),
          DONE,
        ),
        FINE,
      ],
      expect: {
        shown: "All fine.",
        thoughts: REASONING,
        calls: [{ id: "call_00_x", name: "lookup", args: { word: "ink" } }],
        sent: [
          { lacks: ["messages[0].reasoning_content"] },
          {
            has: {
              messages: [
                { role: "user" },
                { role: "assistant", reasoning_content: REASONING, tool_calls: [{ id: "call_00_x" }] },
                { role: "tool", tool_call_id: "call_00_x", content: "found ink" },
              ],
            },
          },
        ],
      },
    },
    {
      title: "an answer that ran out of the provider's resources has failed",
      source: "https://api-docs.deepseek.com/api/create-chat-completion",
      answers: [stream(chunk({ content: "It is" }), chunk({}, "insufficient_system_resource"), DONE)],
      expect: { shown: "It is", error: { code: "model_unavailable" } },
    },
    {
      title: "an empty balance is a quota",
      source: "https://github.com/666ghj/BettaFish/issues/286",
      answers: [
        failure(402, {
          error: { message: "Insufficient Balance", type: "unknown_error", param: null, code: "invalid_request_error" },
        }),
      ],
      expect: { error: { code: "model_quota_exceeded" } },
    },
    {
      title: "a conversation beyond the context is told by its words",
      source: "https://github.com/zebbern/Devonz/issues/9",
      answers: [
        failure(400, {
          error: {
            message:
              "This model's maximum context length is 131072 tokens. However, you requested 139162 tokens (130970 in the messages, 8192 in the completion).",
            type: "invalid_request_error",
            param: null,
            code: "invalid_request_error",
          },
        }),
      ],
      expect: { error: { code: "model_context_exceeded" } },
    },
    {
      title: "an overloaded server is tried again",
      source: "https://api-docs.deepseek.com/quick_start/error_codes",
      answers: [failure(503, { error: { message: "Service is too busy.", type: "service_unavailable_error" } })],
      expect: { error: { code: "model_unavailable" } },
    },
  ],
};
