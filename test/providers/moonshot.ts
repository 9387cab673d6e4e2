/** Moonshot AI: Kimi. */
import type { Provider } from "./provider-case.ts";
import { call, choices, chunk, DONE, FINE, failure, stream, usage } from "./wire.ts";

const ERROR_DOCS = "https://platform.moonshot.ai/docs/api/chat";

export const moonshot: Provider = {
  name: "Moonshot (Kimi)",
  settings: "`OPENAI_BASE_URL=https://api.moonshot.ai/v1`",
  cases: [
    {
      title: "usage stands in the last choice",
      source: "https://github.com/earendil-works/pi/issues/2017",
      answers: [
        stream(
          chunk({ role: "assistant", content: "" }),
          chunk({ content: "Yes." }),
          choices([{ index: 0, delta: {}, finish_reason: "stop", ...usage(19, 13) }]),
          DONE,
        ),
      ],
      expect: { shown: "Yes.", finishReason: "stop", usage: [19, 13, 32] },
    },
    {
      title: "the finish comes with the last piece of text",
      source: "vercel/ai: packages/moonshotai/src/__fixtures__/moonshotai-stream.chunks.txt",
      answers: [
        stream(
          chunk({ role: "assistant", reasoning_content: "Greet " }),
          chunk({ reasoning_content: "back. " }),
          chunk({ content: "Good day" }),
          chunk({ content: "!" }, "stop", usage(9, 12)),
          DONE,
        ),
      ],
      expect: { shown: "Good day!", thoughts: "Greet back. ", finishReason: "stop", usage: [9, 12, 21] },
    },
    {
      title: "a thinking model wants its reasoning back, and its call ids as they were",
      source: "https://github.com/labring/FastGPT/issues/6357",
      by: "loop",
      request: { options: { model: "kimi-k2.5" } },
      answers: [
        stream(
          chunk({ role: "assistant", content: "", reasoning_content: " A word to find." }),
          chunk({ tool_calls: [call("functions.lookup:0", "")] }),
          chunk({ tool_calls: [{ index: 0, function: { arguments: '{"word": "ink"}' } }] }),
          chunk({}, "tool_calls"),
          DONE,
        ),
        FINE,
      ],
      expect: {
        shown: "All fine.",
        thoughts: " A word to find.",
        calls: [{ id: "functions.lookup:0", name: "lookup", args: { word: "ink" } }],
        sent: [
          {},
          {
            has: {
              messages: [
                {},
                { reasoning_content: " A word to find.", tool_calls: [{ id: "functions.lookup:0" }] },
                { role: "tool", tool_call_id: "functions.lookup:0" },
              ],
            },
          },
        ],
      },
    },
    {
      title: "a gateway's name for the model says nothing, and the refusal does",
      source: "https://github.com/VicBilibily/GCMP/issues/162",
      by: "loop",
      request: { options: { model: "coding-plan" } },
      answers: [
        stream(
          chunk({ role: "assistant", content: "", reasoning_content: "A word." }),
          chunk({ tool_calls: [call("functions.lookup:0", '{"word":"ink"}')] }, "tool_calls"),
          DONE,
        ),
        failure(400, {
          error: {
            type: "invalid_request_error",
            message: "thinking is enabled but reasoning_content is missing in assistant tool call message at index 1",
          },
          type: "error",
        }),
        FINE,
      ],
      expect: {
        shown: "All fine.",
        thoughts: "A word.",
        calls: [{ id: "functions.lookup:0", name: "lookup", args: { word: "ink" } }],
        sent: [
          {},
          { lacks: ["messages[1].reasoning_content"] },
          { has: { messages: [{}, { reasoning_content: "A word." }, { role: "tool" }] } },
        ],
      },
    },
    {
      title: "a suspended account is a quota although its status is 429",
      source: ERROR_DOCS,
      answers: [
        failure(429, {
          error: {
            message: "Your account is suspended, please check your plan and billing details",
            type: "exceeded_current_quota_error",
          },
        }),
      ],
      expect: { error: { code: "model_quota_exceeded" } },
    },
    {
      title: "an overloaded engine is tried again",
      source: ERROR_DOCS,
      answers: [
        failure(429, { error: { message: "The engine is currently overloaded.", type: "engine_overloaded_error" } }),
      ],
      expect: { error: { code: "model_rate_limited" } },
    },
    {
      title: "a conversation beyond the context is told by the model's token limit",
      source: ERROR_DOCS,
      answers: [
        failure(400, {
          error: {
            message: "Invalid request: Your request exceeded model token limit: 8192",
            type: "invalid_request_error",
          },
        }),
      ],
      expect: { error: { code: "model_context_exceeded" } },
    },
    {
      title: "a request that is considered high risk is refused in the provider's words",
      source: ERROR_DOCS,
      answers: [
        failure(400, {
          error: { message: "The request was rejected because it was considered high risk", type: "content_filter" },
        }),
      ],
      expect: { error: { code: "model_rejected", says: "high risk" } },
    },
    {
      title: "a temperature that the model does not take is named",
      source: "https://github.com/Bike4Mind/bike4mind/pull/1089",
      request: { options: { model: "kimi-k2.6", temperature: 0.7 } },
      answers: [
        failure(400, {
          error: {
            message: "invalid temperature: only 1 is allowed for this model",
            type: "invalid_request_error",
          },
        }),
      ],
      expect: { error: { code: "model_rejected", says: "temperature" } },
    },
  ],
};
