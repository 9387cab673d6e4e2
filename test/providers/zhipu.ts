/** Zhipu AI, Z.ai: GLM. */
import type { Provider } from "./provider-case.ts";
import { call, choices, chunk, DONE, failure, stream, usage } from "./wire.ts";

const CODES = "https://docs.bigmodel.cn/cn/faq/api-code";

export const zhipu: Provider = {
  name: "Zhipu, Z.ai (GLM)",
  settings: "`OPENAI_BASE_URL=https://open.bigmodel.cn/api/paas/v4`",
  cases: [
    {
      title: "chunks have no finish_reason before the last, and repeat the role",
      source: "pydantic/pydantic-ai: tests/models/cassettes/test_zai/test_zai_thinking_stream.yaml",
      answers: [
        stream(
          choices([{ index: 0, delta: { role: "assistant", reasoning_content: "\n2 and 2" } }]),
          choices([{ index: 0, delta: { role: "assistant", content: "4" } }]),
          choices([{ index: 0, delta: { role: "assistant", content: "" } }]),
          choices([{ index: 0, finish_reason: "stop", delta: { role: "assistant", content: "" } }], usage(13, 564)),
          DONE,
        ),
      ],
      expect: { shown: "4", thoughts: "\n2 and 2", finishReason: "stop", usage: [13, 564, 577] },
    },
    {
      title: "calls come whole, one in each chunk",
      source: "charmbracelet/fantasy: providertests/testdata/TestOpenAICompatibleCommon/zai-glm-4-7-flash",
      request: { tools: true },
      answers: [
        stream(
          choices([{ index: 0, delta: { tool_calls: [call("call_4f8c", '{"word":"ink"}')] } }]),
          choices([{ index: 0, delta: { tool_calls: [call("call_4f8d", '{"word":"pen"}', { index: 1 })] } }]),
          chunk({ role: "assistant", content: "" }, "tool_calls", usage(275, 112)),
          DONE,
        ),
      ],
      expect: {
        calls: [
          { id: "call_4f8c", name: "lookup", args: { word: "ink" } },
          { id: "call_4f8d", name: "lookup", args: { word: "pen" } },
        ],
        finishReason: "tool_calls",
        usage: [275, 112, 387],
      },
    },
    {
      title: "the filter's own word for a cut answer means content_filter",
      source: "https://github.com/promptfoo/promptfoo/pull/9905",
      answers: [stream(chunk({ role: "assistant", content: "首先" }), chunk({}, "sensitive"), DONE)],
      expect: { shown: "首先", finishReason: "content_filter" },
    },
    {
      title: "an answer that ended in a network error has failed",
      source: "https://github.com/promptfoo/promptfoo/pull/9905",
      answers: [stream(chunk({ role: "assistant", content: "Half" }), chunk({}, "network_error"), DONE)],
      expect: { shown: "Half", error: { code: "model_unavailable" } },
    },
    {
      title: "an empty balance is a quota although its status is 429",
      source: "https://github.com/zai-org/GLM-5/issues/148",
      answers: [failure(429, { error: { code: "1113", message: "Insufficient balance or no resource package." } })],
      expect: { error: { code: "model_quota_exceeded" } },
    },
    {
      title: "an empty balance is told in Chinese",
      source: "https://github.com/continuedev/continue/issues/10296",
      answers: [failure(429, { error: { code: "1113", message: "余额不足或无可用资源包,请充值。" } })],
      expect: { error: { code: "model_quota_exceeded" } },
    },
    {
      title: "too many requests at once may be tried again",
      source: CODES,
      answers: [failure(429, { error: { code: "1302", message: "您的账户已达到速率限制" } })],
      expect: { error: { code: "model_rate_limited" } },
    },
    {
      title: "a prompt beyond the context is told by its code",
      source: CODES,
      answers: [failure(400, { error: { code: "1261", message: "Prompt 超长" } })],
      expect: { error: { code: "model_context_exceeded" } },
    },
    {
      title: "a prompt that the filter refuses has the provider's words",
      source: CODES,
      answers: [
        failure(400, {
          contentFilter: [{ level: 1, role: "user" }],
          error: { code: "1301", message: "系统检测到输入内容可能包含不安全或敏感内容" },
        }),
      ],
      expect: { error: { code: "model_rejected", says: "敏感内容" } },
    },
  ],
};
