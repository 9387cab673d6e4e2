/** MiniMax. */
import type { Provider } from "./provider-case.ts";
import { call, choices, chunk, DONE, FINE, failure, stream, usage, usageChunk } from "./wire.ts";

const DOCS = "https://platform.minimax.io/docs/api-reference/errorcode";
const NO_USAGE_YET = { usage: { total_tokens: 0, total_characters: 0 }, input_sensitive: false };

export const minimax: Provider = {
  name: "MiniMax",
  settings: "`OPENAI_BASE_URL=https://api.minimax.io/v1`",
  cases: [
    {
      title: "the last event repeats the whole message, which is shown once",
      source: "https://github.com/GCWing/OpenBitFun/pull/792",
      answers: [
        stream(
          chunk({ role: "assistant", content: "Ink is" }, null, NO_USAGE_YET),
          chunk({ role: "assistant", content: " wet." }, null, NO_USAGE_YET),
          {
            ...choices([{ index: 0, finish_reason: "stop", message: { role: "assistant", content: "Ink is wet." } }]),
            object: "chat.completion",
            ...usage(40, 8),
            base_resp: { status_code: 0, status_msg: "" },
          },
        ),
      ],
      expect: { shown: "Ink is wet.", finishReason: "stop", usage: [40, 8, 48] },
    },
    {
      title: "an empty role and a usage of zeros say nothing",
      source: "https://github.com/MiniMax-AI/MiniMax-M2.5/issues/2",
      answers: [
        stream(
          chunk({ role: "", reasoning_content: "" }, null, NO_USAGE_YET),
          chunk({ role: "", reasoning_content: "Short." }, null, NO_USAGE_YET),
          chunk({ role: "", content: "Yes." }, "stop", NO_USAGE_YET),
          usageChunk(11, 5),
          DONE,
        ),
      ],
      expect: { shown: "Yes.", thoughts: "Short.", finishReason: "stop", usage: [11, 5, 16] },
    },
    {
      title: "reasoning in tags at the head of the text is no answer",
      source: "https://platform.minimax.io/docs/api-reference/text-openai-api",
      answers: [
        stream(
          chunk({ role: "assistant", content: "<thi" }),
          chunk({ content: "nk>\nShort or long?" }),
          chunk({ content: "\n</thin" }),
          chunk({ content: "k>\n\nShort." }, "stop"),
          DONE,
        ),
      ],
      expect: { shown: "Short.", thoughts: "\nShort or long?\n", finishReason: "stop" },
    },
    {
      title: "reasoning in tags goes back within a tool loop byte for byte",
      source: "https://platform.minimax.io/docs/guides/text-m2-function-call",
      by: "loop",
      request: { options: { model: "MiniMax-M2" } },
      answers: [
        stream(
          chunk({ role: "assistant", content: "<thi" }),
          chunk({ content: "nk>\n Look it up.\n" }),
          chunk({ content: "</think>\n\nOne moment.\n" }),
          chunk({ tool_calls: [call("call_1", '{"word":"ink"}')] }, "tool_calls"),
          DONE,
        ),
        FINE,
      ],
      expect: {
        shown: "One moment.\n\n\nAll fine.",
        thoughts: "Look it up.",
        calls: [{ id: "call_1", name: "lookup", args: { word: "ink" } }],
        sent: [{}, { has: { messages: [{}, { content: "<think>\n Look it up.\n</think>\n\nOne moment.\n" }, {}] } }],
      },
    },
    {
      title: "details of reasoning go back in the place of tags",
      source: "https://platform.minimax.io/docs/api-reference/text-openai-api",
      by: "loop",
      request: { options: { model: "MiniMax-M2" } },
      answers: [
        stream(
          chunk({ reasoning_details: [{ type: "reasoning.text", id: "r-1", index: 0, text: "Look" }] }),
          chunk({ reasoning_details: [{ type: "reasoning.text", id: "r-1", index: 0, text: " it up." }] }),
          chunk({ tool_calls: [call("call_1", '{"word":"ink"}')] }, "tool_calls"),
          DONE,
        ),
        FINE,
      ],
      expect: {
        shown: "All fine.",
        thoughts: "Look it up.",
        calls: [{ id: "call_1", name: "lookup", args: { word: "ink" } }],
        sent: [
          {},
          {
            has: {
              messages: [
                {},
                {
                  content: null,
                  reasoning_details: [{ type: "reasoning.text", id: "r-1", index: 0, text: "Look it up." }],
                },
                {},
              ],
            },
          },
        ],
      },
    },
    {
      title: "reasoning comes in details alone",
      source: "https://github.com/MiniMax-AI/MiniMax-M2/issues/95",
      answers: [
        stream(
          chunk({ reasoning_details: [{ type: "reasoning.text", id: "r-1", index: 0, text: "A greeting" }] }),
          chunk({ reasoning_details: [{ type: "reasoning.text", id: "r-1", index: 0, text: ", so greet." }] }),
          chunk({ content: "Hello." }, "stop"),
          DONE,
        ),
      ],
      expect: { shown: "Hello.", thoughts: "A greeting, so greet.", finishReason: "stop" },
    },
    {
      title: "an empty balance comes with status 200 and no choices",
      source: DOCS,
      answers: [
        { body: { id: "06", choices: null, base_resp: { status_code: 1008, status_msg: "insufficient balance" } } },
      ],
      expect: { error: { code: "model_quota_exceeded" } },
    },
    {
      title: "an empty balance has status 429 and a type of its own",
      source: "https://github.com/modelscope/modelscope/issues/1691",
      answers: [
        failure(429, {
          type: "error",
          error: { type: "insufficient_balance_error", message: "insufficient balance (1008)", http_code: "429" },
        }),
      ],
      expect: { error: { code: "model_quota_exceeded" } },
    },
    {
      title: "an empty balance is no failure of the server although its status is 500",
      source: "https://github.com/MiniMax-AI/MiniMax-M2/issues/62",
      answers: [failure(500, { type: "error", error: { type: "api_error", message: "insufficient balance (1008)" } })],
      expect: { error: { code: "model_quota_exceeded" } },
    },
    {
      title: "a rate limit is told within the stream",
      source: DOCS,
      answers: [stream({ choices: null, base_resp: { status_code: 1002, status_msg: "rate limit triggered" } })],
      expect: { error: { code: "model_rate_limited" } },
    },
    {
      title: "a prompt beyond the context is told as an invalid parameter",
      source: "https://github.com/NousResearch/hermes-agent/issues/42533",
      answers: [
        failure(400, {
          type: "error",
          error: { type: "bad_request_error", message: "invalid params, context window exceeds limit (2013)" },
        }),
      ],
      expect: { error: { code: "model_context_exceeded" } },
    },
  ],
};
