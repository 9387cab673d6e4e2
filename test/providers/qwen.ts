/** Qwen by Alibaba Cloud Model Studio (DashScope). */
import type { Provider } from "./provider-case.ts";
import { call, chunk, DONE, failure, stream, usage, usageChunk } from "./wire.ts";

export const qwen: Provider = {
  name: "Qwen (DashScope)",
  settings: "`OPENAI_BASE_URL=https://dashscope.aliyuncs.com/compatible-mode/v1`",
  cases: [
    {
      title: "each delta repeats the whole text so far",
      source: "https://github.com/QwenLM/qwen-code/pull/3896",
      answers: [
        stream(
          chunk({ role: "assistant", content: "", reasoning_content: "" }),
          ...["A", "A small", "A small sum", "A small sum."].map((reasoning_content) => chunk({ reasoning_content })),
          ...["四", "四加", "四加四", "四加四等于", "四加四等于八", "四加四等于八。"].map((content) =>
            chunk({ content }),
          ),
          chunk({ content: "四加四等于八。" }, "stop"),
          usageChunk(9, 12),
          DONE,
        ),
      ],
      expect: { shown: "四加四等于八。", thoughts: "A small sum.", finishReason: "stop", usage: [9, 12, 21] },
    },
    {
      title: "the pieces of a call after its first have an empty id",
      source: "vercel/ai: packages/alibaba/src/__fixtures__/alibaba-tool-call.chunks.txt",
      request: { tools: true },
      answers: [
        stream(
          chunk({ content: null, role: "assistant", tool_calls: [call("call_eee1", "")] }, null, { usage: null }),
          chunk({ content: null, tool_calls: [{ index: 0, id: "", function: { arguments: '{"word": "in' } }] }),
          chunk({ content: null, tool_calls: [{ index: 0, id: "", function: { arguments: 'k"}' } }] }),
          chunk({ content: "", tool_calls: null }, "tool_calls"),
          usageChunk(280, 22),
          DONE,
        ),
      ],
      expect: {
        calls: [{ id: "call_eee1", name: "lookup", args: { word: "ink" } }],
        finishReason: "tool_calls",
        usage: [280, 22, 302],
      },
    },
    {
      title: "each chunk has both fields, one of them null",
      source: "vercel/ai: packages/alibaba/src/__fixtures__/alibaba-reasoning.chunks.txt",
      answers: [
        stream(
          chunk({ content: null, role: "assistant", reasoning_content: "" }),
          chunk({ content: null, reasoning_content: "数一数。" }),
          chunk({ content: "三", reasoning_content: null }),
          chunk({ content: "个", reasoning_content: null }),
          chunk({ content: "", reasoning_content: null }, "stop"),
          usageChunk(24, 40),
          DONE,
        ),
      ],
      expect: { shown: "三个", thoughts: "数一数。", finishReason: "stop", usage: [24, 40, 64] },
    },
    {
      title: "an unpaid account is a quota",
      source: "https://github.com/1Panel-dev/MaxKB/issues/5297",
      answers: [
        failure(400, {
          error: {
            code: "Arrearage",
            message: "Access denied, please make sure your account is in good standing.",
            param: null,
            type: "Arrearage",
          },
          request_id: "81a3",
        }),
      ],
      expect: { error: { code: "model_quota_exceeded" } },
    },
    {
      title: "an input beyond the context is told by its range",
      source: "https://github.com/agentscope-ai/QwenPaw/issues/6255",
      answers: [
        failure(400, {
          error: {
            code: "invalid_parameter_error",
            message: "<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 983616]",
            param: null,
            type: "invalid_request_error",
          },
          request_id: "81a3",
        }),
      ],
      expect: { error: { code: "model_context_exceeded" } },
    },
    {
      title: "the inspection of the output ends the stream with an error",
      source: "https://help.aliyun.com/zh/model-studio/error-code",
      answers: [
        stream(chunk({ content: "据说" }), {
          error: {
            code: "data_inspection_failed",
            message: "Output data may contain inappropriate content.",
            param: null,
            type: "data_inspection_failed",
          },
          id: "chatcmpl-7",
        }),
      ],
      expect: { shown: "据说", error: { code: "model_rejected", says: "inappropriate content" } },
    },
    {
      title: "a throttled account is tried again",
      source: "https://help.aliyun.com/zh/model-studio/error-code",
      answers: [
        failure(429, {
          error: {
            code: "limit_requests",
            message: "You exceeded your current requests list.",
            type: "limit_requests",
          },
        }),
      ],
      expect: { error: { code: "model_rate_limited" } },
    },
    {
      title: "a finish_reason of null as a text, or an empty one, is none",
      source: "songquanpeng/one-api: relay/adaptor/ali/main.go",
      answers: [
        stream(
          chunk({ role: "assistant", content: "好" }, "null"),
          chunk({ role: "assistant", content: "的" }, "", usage(3, 2)),
          chunk({ role: "assistant", content: "" }, "stop", usage(3, 3)),
          DONE,
        ),
      ],
      expect: { shown: "好的", finishReason: "stop", usage: [3, 3, 6] },
    },
  ],
};
