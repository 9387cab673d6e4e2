/** vLLM and SGLang. */
import type { Provider } from "./provider-case.ts";
import { call, choices, chunk, DONE, failure, stream, usage, usageChunk } from "./wire.ts";

const SERVING = "https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html";
const TOOLS = "https://docs.vllm.ai/en/latest/features/tool_calling.html";

/** An error as both servers wrote it at first: not below `error`. */
const flat = (status: number, type: string, message: string) =>
  failure(status, { object: "error", message, type, param: null, code: status });

const CONTEXT =
  "This model's maximum context length is 6048 tokens. However, you requested 6616 tokens (568 in the messages, 6048 in the completion).";

export const vllm: Provider = {
  name: "vLLM",
  settings: "`OPENAI_BASE_URL=http://HOST:8000/v1`, `LLM_RETURN_REASONING`",
  cases: [
    {
      title: "reasoning has two names in one delta, which count once",
      source: "https://docs.vllm.ai/en/latest/features/reasoning_outputs.html",
      answers: [
        stream(
          chunk({ role: "assistant", content: "" }),
          chunk({ reasoning: "Nine", reasoning_content: "Nine" }),
          chunk({ reasoning: " is odd.", reasoning_content: " is odd." }),
          chunk({ content: "Odd." }),
          choices([{ index: 0, delta: { content: "" }, finish_reason: "stop", stop_reason: null, token_ids: null }]),
          usageChunk(16, 20),
          DONE,
        ),
      ],
      expect: { shown: "Odd.", thoughts: "Nine is odd.", finishReason: "stop", usage: [16, 20, 36] },
    },
    {
      title: "reasoning has its newer name alone",
      source: "https://docs.vllm.ai/en/latest/features/reasoning_outputs.html",
      answers: [stream(chunk({ reasoning: "Nine." }), chunk({ content: "Odd." }, "stop"), DONE)],
      expect: { shown: "Odd.", thoughts: "Nine.", finishReason: "stop" },
    },
    {
      title: "without a parser the thoughts end with a tag that the prompt has opened",
      source: "https://huggingface.co/deepseek-ai/DeepSeek-R1",
      answers: [
        stream(
          chunk({ content: "Nine is" }),
          chunk({ content: " odd.</thi" }),
          chunk({ content: "nk>\n\nOdd." }, "stop"),
          DONE,
        ),
      ],
      expect: { shown: "Odd.", thoughts: "Nine is odd.", finishReason: "stop" },
    },
    {
      title: "usage so far comes with every chunk",
      source: SERVING,
      answers: [
        stream(
          chunk({ content: "O" }, null, usage(16, 1)),
          chunk({ content: "dd." }, "stop", usage(16, 3)),
          usageChunk(16, 3),
          DONE,
        ),
      ],
      expect: { shown: "Odd.", usage: [16, 3, 19] },
    },
    {
      title: "every delta has an empty list of calls, and a call repeats id and name in each piece",
      source: TOOLS,
      request: { tools: true },
      answers: [
        stream(
          chunk({ content: "\n\n", tool_calls: [] }),
          chunk({ tool_calls: [call("chatcmpl-tool-1", "")] }),
          chunk({ tool_calls: [call("chatcmpl-tool-1", '{"word"')] }),
          chunk({ tool_calls: [call("chatcmpl-tool-1", ': "ink"}')] }),
          chunk({ content: "", tool_calls: [] }, "tool_calls"),
          DONE,
        ),
      ],
      expect: { shown: "\n\n", calls: [{ id: "chatcmpl-tool-1", name: "lookup", args: { word: "ink" } }] },
    },
    {
      title: "two calls have the same index, and the pieces of each an empty id",
      source: "https://github.com/InternLM/lmdeploy/issues/3412",
      request: { tools: true },
      answers: [
        stream(
          chunk({ tool_calls: [call("chatcmpl-tool-1", "")] }),
          chunk({ tool_calls: [{ index: 0, id: "", function: { arguments: '{"word":"ink"}' } }] }),
          chunk({ tool_calls: [call("chatcmpl-tool-2", "")] }),
          chunk({ tool_calls: [{ index: 0, id: "", function: { arguments: '{"word":"pen"}' } }] }),
          chunk({}, "tool_calls"),
          DONE,
        ),
      ],
      expect: {
        calls: [
          { id: "chatcmpl-tool-1", name: "lookup", args: { word: "ink" } },
          { id: "chatcmpl-tool-2", name: "lookup", args: { word: "pen" } },
        ],
      },
    },
    {
      title: "arguments are encoded twice",
      source: "https://github.com/vllm-project/vllm/pull/54964",
      request: { tools: true },
      answers: [
        stream(chunk({ tool_calls: [call("t1", JSON.stringify('{"word": "ink"}'))] }), chunk({}, "tool_calls"), DONE),
      ],
      expect: { calls: [{ id: "t1", name: "lookup", args: { word: "ink" } }] },
    },
    {
      title: "a prompt beyond the context is told at the top of the body",
      source: "https://github.com/ogx-ai/ogx/issues/4534",
      answers: [flat(400, "BadRequestError", CONTEXT)],
      expect: { error: { code: "model_context_exceeded" } },
    },
    {
      title: "a prompt beyond the context is told within the stream",
      source: "https://github.com/llm-d/llm-d-inference-sim/issues/596",
      answers: [stream({ error: { message: CONTEXT, type: "BadRequestError", param: null, code: 400 } }, DONE)],
      expect: { error: { code: "model_context_exceeded" } },
    },
    {
      title: "a context that leaves no room for an answer is told by a negative max_tokens",
      source: "https://github.com/vllm-project/vllm/issues/4667",
      answers: [flat(400, "BadRequestError", "max_tokens must be at least 1, got -186.")],
      expect: { error: { code: "model_context_exceeded" } },
    },
    {
      title: "tools that the server was not started for are told in its words",
      source: TOOLS,
      request: { tools: true },
      answers: [
        flat(
          400,
          "BadRequestError",
          '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
        ),
      ],
      expect: { error: { code: "model_rejected", says: "--enable-auto-tool-choice" } },
    },
    {
      title: "an engine that dies is told within the stream",
      source: SERVING,
      answers: [
        stream(chunk({ content: "O" }), {
          error: {
            object: "error",
            message: "EngineCore encountered an issue.",
            type: "InternalServerError",
            code: 500,
          },
        }),
      ],
      expect: { shown: "O", error: { code: "model_unavailable" } },
    },
    {
      title: "an answer that was aborted is not whole",
      source: SERVING,
      answers: [stream(chunk({ content: "O" }), chunk({}, "abort"), DONE)],
      expect: { shown: "O", error: { code: "model_unavailable" } },
    },
    {
      title: "another choice does not mix into the answer",
      source: SERVING,
      answers: [
        stream(
          choices([
            { index: 1, delta: { content: "Even." } },
            { index: 0, delta: { content: "Odd" } },
          ]),
          choices([{ index: 1, delta: {}, finish_reason: "length" }]),
          chunk({ content: "." }, "stop"),
          DONE,
        ),
      ],
      expect: { shown: "Odd.", finishReason: "stop" },
    },
  ],
};

const NULLS = { role: null, content: null, reasoning_content: null, tool_calls: null };

export const sglang: Provider = {
  name: "SGLang",
  settings: "`OPENAI_BASE_URL=http://HOST:30000/v1`, `LLM_RETURN_REASONING`",
  cases: [
    {
      title: "every delta has all fields, most of them null",
      source: "https://github.com/sgl-project/sglang/issues/6310",
      answers: [
        stream(
          chunk({ ...NULLS, role: "assistant", content: "" }),
          chunk({ ...NULLS, reasoning_content: "Nine.\n" }),
          chunk({ ...NULLS, content: "Odd." }),
          choices([{ index: 0, delta: NULLS, finish_reason: "stop", matched_stop: 151645 }]),
          usageChunk(16, 9),
          DONE,
        ),
      ],
      expect: { shown: "Odd.", thoughts: "Nine.\n", finishReason: "stop", usage: [16, 9, 25] },
    },
    {
      title: "later pieces of a call have null for id, name and type",
      source: "https://github.com/sgl-project/sglang/pull/35542",
      request: { tools: true },
      answers: [
        stream(
          chunk({ tool_calls: [call("call_abc", "")] }),
          chunk({ tool_calls: [{ index: 0, id: null, type: null, function: { name: null, arguments: '{"word":' } }] }),
          chunk({ tool_calls: [{ index: 0, id: null, type: null, function: { name: null, arguments: '"ink"}' } }] }),
          chunk({}, "tool_calls"),
          DONE,
        ),
      ],
      expect: { calls: [{ id: "call_abc", name: "lookup", args: { word: "ink" } }] },
    },
    {
      title: "a second call has an index and no id",
      source: "https://github.com/sgl-project/sglang/issues/7048",
      request: { tools: true },
      answers: [
        stream(
          chunk({ tool_calls: [call("call_abc", '{"word":"ink"}')] }),
          chunk({ tool_calls: [{ ...call("", '{"word":"pen"}', { index: 1 }), id: null }] }),
          chunk({}, "tool_calls"),
          DONE,
        ),
      ],
      expect: {
        calls: [
          { id: "call_abc", name: "lookup", args: { word: "ink" } },
          { name: "lookup", args: { word: "pen" } },
        ],
      },
    },
    {
      title: "pieces have no index, and the name comes after the first arguments",
      source: "https://github.com/vercel/ai/pull/15879",
      request: { tools: true },
      answers: [
        stream(
          chunk({ tool_calls: [{ id: "0", type: "function", function: { arguments: '{"word":' } }] }),
          chunk({ tool_calls: [{ id: "0", type: "function", function: { name: "lookup", arguments: '"ink"}' } }] }),
          chunk({}, "tool_calls"),
          DONE,
        ),
      ],
      expect: { calls: [{ id: "0", name: "lookup", args: { word: "ink" } }] },
    },
    {
      title: "a prompt beyond the context is told in words of its own",
      source: "https://github.com/QwenLM/Qwen3/issues/1321",
      answers: [
        flat(
          400,
          "BadRequestError",
          "The input (9001 tokens) is longer than the model's context length (8192 tokens).",
        ),
      ],
      expect: { error: { code: "model_context_exceeded" } },
    },
  ],
};
