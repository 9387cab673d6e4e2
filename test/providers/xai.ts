/** xAI: Grok. */
import type { Provider } from "./provider-case.ts";
import { call, choices, DONE, failure, stream, usage } from "./wire.ts";

/** xAI writes no `finish_reason` before the last choice. */
const open = (delta: object) => choices([{ index: 0, delta }]);

export const xai: Provider = {
  name: "xAI (Grok)",
  settings: "`OPENAI_BASE_URL=https://api.x.ai/v1`",
  cases: [
    {
      title: "reasoning is followed by a whole call, and its tokens are in the total alone",
      source: "vercel/ai: packages/openai-compatible/src/chat/__fixtures__/xai-tool-call.chunks.txt",
      request: { tools: true },
      answers: [
        stream(
          open({ reasoning_content: "First", role: "assistant" }),
          open({ reasoning_content: ", look." }),
          open({ tool_calls: [call("call_79382389", '{"word":"ink"}')] }),
          choices([{ index: 0, delta: {}, finish_reason: "tool_calls" }]),
          choices([], usage(307, 26, 560)),
          DONE,
        ),
      ],
      expect: {
        thoughts: "First, look.",
        calls: [{ id: "call_79382389", name: "lookup", args: { word: "ink" } }],
        finishReason: "tool_calls",
        usage: [307, 26, 560],
      },
    },
    {
      title: "a wrong key has status 400 and its words as a text",
      source: "https://github.com/continuedev/continue/issues/10778",
      answers: [
        failure(400, { code: "Client specified an invalid argument", error: "Incorrect API key provided: xa***ey." }),
      ],
      expect: { error: { code: "model_auth_failed" } },
    },
    {
      title: "used-up credits are a quota although the status is 429",
      source: "https://github.com/continuedev/continue/issues/10373",
      answers: [
        failure(429, {
          code: "Some resource has been exhausted",
          error: "Your team 16f2 has either used all available credits or reached its monthly spending limit.",
        }),
      ],
      expect: { error: { code: "model_quota_exceeded" } },
    },
    {
      title: "used-up credits are a quota although the status is 403",
      source: "https://github.com/Anantys-oss/koan/issues/2412",
      answers: [
        failure(403, {
          code: "permission-denied",
          error: "Your team 16f2 has either used all available credits or reached its monthly spending limit.",
        }),
      ],
      expect: { error: { code: "model_quota_exceeded" } },
    },
    {
      title: "a prompt beyond the context is told by the maximum prompt length",
      source: "https://docs.x.ai/docs/key-information/debugging",
      answers: [
        failure(400, {
          code: "Client specified an invalid argument",
          error: "This model's maximum prompt length is 131072 but the request contains 200000 tokens.",
        }),
      ],
      expect: { error: { code: "model_context_exceeded" } },
    },
    {
      title: "a fault of the request is told in the provider's words",
      source: "https://github.com/nocmt/LLMSearchPlus/issues/2",
      answers: [
        failure(400, {
          code: "Client specified an invalid argument",
          error: "The model expects a single text element per message.",
        }),
      ],
      expect: { error: { code: "model_rejected", says: "expects a single text element" } },
    },
  ],
};
