/** LiteLLM. */
import type { Provider } from "./provider-case.ts";
import { call, chunk, DONE, FINE, failure, stream, usage, whole } from "./wire.ts";

/** A delta with this block of Anthropic's. */
const block = (part: object, reasoning_content?: string) =>
  chunk({ reasoning_content, thinking_blocks: [part], provider_specific_fields: null });

export const litellm: Provider = {
  name: "LiteLLM",
  settings: "`OPENAI_BASE_URL=http://HOST:4000/v1`",
  cases: [
    {
      title: "signed blocks of thinking go back within a tool loop, those without a signature do not",
      source: "https://docs.litellm.ai/docs/reasoning_content",
      by: "loop",
      answers: [
        stream(
          block({ type: "thinking", thinking: "Look", signature: null }, "Look"),
          block({ type: "thinking", thinking: " it up.", signature: null }, " it up."),
          block({ type: "thinking", thinking: "", signature: "EqoBCkgI+/==" }),
          block({ type: "redacted_thinking", data: "EmwKAhgB" }),
          block({ type: "thinking", thinking: " Now.", signature: "" }, " Now."),
          chunk({ tool_calls: [call("toolu_1", '{"word":"ink"}')] }, "tool_calls"),
          DONE,
        ),
        FINE,
      ],
      expect: {
        shown: "All fine.",
        thoughts: "Look it up. Now.",
        calls: [{ id: "toolu_1", name: "lookup", args: { word: "ink" } }],
        sent: [
          {},
          {
            has: {
              messages: [
                {},
                {
                  thinking_blocks: [
                    { type: "thinking", thinking: "Look it up.", signature: "EqoBCkgI+/==" },
                    { type: "redacted_thinking", data: "EmwKAhgB" },
                  ],
                },
                {},
              ],
            },
            lacks: ["messages[1].reasoning_content"],
          },
        ],
      },
    },
    {
      title: "signatures among the fields of one provider go back with the message and with its calls",
      source: "https://docs.litellm.ai/blog/gemini_3",
      by: "loop",
      answers: [
        stream(
          chunk({ content: "One moment.", provider_specific_fields: { thought_signatures: ["c2ln+/=="] } }),
          chunk({ content: "", provider_specific_fields: { citations: null } }),
          chunk({
            tool_calls: [
              call("call_1", '{"word":"ink"}', { provider_specific_fields: { thought_signature: "EhsMGQ==" } }),
            ],
          }),
          chunk({}, "tool_calls"),
          DONE,
        ),
        FINE,
      ],
      expect: {
        shown: "One moment.\n\nAll fine.",
        calls: [{ id: "call_1", name: "lookup", args: { word: "ink" } }],
        sent: [
          {},
          {
            has: {
              messages: [
                {},
                {
                  content: "One moment.",
                  provider_specific_fields: { thought_signatures: ["c2ln+/=="] },
                  tool_calls: [{ provider_specific_fields: { thought_signature: "EhsMGQ==" } }],
                },
                {},
              ],
            },
          },
        ],
      },
    },
    {
      title: "fields that the provider behind it does not know are left out",
      source: "https://docs.litellm.ai/docs/reasoning_content",
      by: "loop",
      answers: [
        stream(
          chunk({
            tool_calls: [call("call_1", '{"word":"ink"}', { provider_specific_fields: { thought_signature: "Ehs" } })],
          }),
          chunk({}, "tool_calls"),
          DONE,
        ),
        failure(400, {
          error: {
            message: "Unknown parameter: 'messages[1].tool_calls[0].provider_specific_fields'.",
            type: "invalid_request_error",
          },
        }),
        FINE,
      ],
      expect: {
        shown: "All fine.",
        calls: [{ id: "call_1", name: "lookup", args: { word: "ink" } }],
        sent: [{}, {}, { lacks: ["messages[1].tool_calls[0].provider_specific_fields"] }],
      },
    },
    {
      title: "a prompt beyond the context is told by the name of an exception",
      source: "https://docs.litellm.ai/docs/exception_mapping",
      answers: [
        failure(400, {
          error: {
            message: "litellm.ContextWindowExceededError: litellm.BadRequestError: the prompt does not fit",
            type: null,
            param: null,
            code: "400",
          },
        }),
      ],
      expect: { error: { code: "model_context_exceeded" } },
    },
    {
      title: "a used-up budget is a quota whose code is a status as text",
      source: "https://github.com/open-webui/open-webui/issues/5469",
      answers: [
        failure(400, {
          error: {
            message: "Budget has been exceeded! Current cost: 0.3759, Max budget: 0.35",
            type: "budget_exceeded",
            param: null,
            code: "400",
          },
        }),
      ],
      expect: { error: { code: "model_quota_exceeded" } },
    },
    {
      title: "an error within the stream has its status as text",
      source: "https://docs.litellm.ai/docs/exception_mapping",
      answers: [
        stream(chunk({ content: "Al" }), {
          error: { message: "litellm.InternalServerError: upstream failed", type: "None", param: "None", code: "500" },
        }),
      ],
      expect: { shown: "Al", error: { code: "model_unavailable" } },
    },
    {
      title: "empty events keep the stream alive",
      source: "https://docs.litellm.ai/docs/proxy/reliability",
      answers: [
        stream(
          "data:\n\n",
          "data: {}\n\n",
          chunk({ content: "Al" }),
          "data: \n\n",
          "data: {}\n\n",
          chunk({ content: "l." }, "stop"),
          DONE,
        ),
      ],
      expect: { shown: "All.", finishReason: "stop" },
    },
    {
      title: "a wrong key is told as an authentication error",
      source: "https://docs.litellm.ai/docs/proxy/virtual_keys",
      answers: [
        failure(401, {
          error: {
            message: "Authentication Error, Invalid proxy server token passed.",
            type: "token_not_found_in_db",
            code: "401",
          },
        }),
      ],
      expect: { error: { code: "model_auth_failed" } },
    },
    {
      title: "a cached answer comes whole although a stream was asked for",
      source: "https://docs.litellm.ai/docs/proxy/caching",
      answers: [whole({ role: "assistant", content: "All." }, "stop", usage(5, 2))],
      expect: { shown: "All.", finishReason: "stop", usage: [5, 2, 7] },
    },
    {
      title: "a whole answer has calls, reasoning and no text",
      source: "https://docs.litellm.ai/docs/proxy/caching",
      request: { tools: true },
      answers: [
        whole(
          { role: "assistant", content: null, reasoning_content: "Look.", tool_calls: [call("c1", '{"word":"ink"}')] },
          "tool_calls",
          usage(5, 9),
        ),
      ],
      expect: {
        thoughts: "Look.",
        calls: [{ id: "c1", name: "lookup", args: { word: "ink" } }],
        finishReason: "tool_calls",
        usage: [5, 9, 14],
      },
    },
  ],
};
