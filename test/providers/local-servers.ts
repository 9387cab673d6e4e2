/** llama.cpp, LM Studio, Text Generation Inference: servers that one runs oneself. */
import type { Provider } from "./provider-case.ts";
import { call, choices, chunk, DONE, failure, stream, usage, usageChunk } from "./wire.ts";

const LLAMA_CONTEXT = {
  code: 400,
  message: "request (14429 tokens) exceeds the available context size (8192 tokens), try increasing it",
  type: "exceed_context_size_error",
  n_prompt_tokens: 14429,
  n_ctx: 8192,
};

export const llamaCpp: Provider = {
  name: "llama.cpp",
  settings: "`OPENAI_BASE_URL=http://HOST:8080/v1`",
  cases: [
    {
      title: "the finish comes before the delta, and times beside usage",
      source:
        "charmbracelet/fantasy: providertests/testdata/TestOpenAICompatibleCommon/llama-cpp-gpt-oss/tool_streaming.yaml",
      request: { tools: true },
      answers: [
        stream(
          choices([{ finish_reason: null, index: 0, delta: { role: "assistant", content: null } }]),
          choices([{ finish_reason: null, index: 0, delta: { reasoning_content: "Look." } }]),
          chunk({ tool_calls: [call("g2KOIWzn722hzEaZQmNVP4roUPEiYafL", '{"')] }),
          chunk({ tool_calls: [{ index: 0, function: { arguments: 'word":"ink"}' } }] }),
          choices([{ finish_reason: "tool_calls", index: 0, delta: {} }]),
          choices([], { ...usage(139, 41), timings: { cache_n: 138, prompt_n: 1, predicted_ms: 339.279 } }),
          DONE,
        ),
      ],
      expect: {
        thoughts: "Look.",
        calls: [{ id: "g2KOIWzn722hzEaZQmNVP4roUPEiYafL", name: "lookup", args: { word: "ink" } }],
        finishReason: "tool_calls",
        usage: [139, 41, 180],
      },
    },
    {
      title: "a prompt beyond the context is told by a type of its own",
      source: "https://github.com/ggml-org/llama.cpp/pull/15780",
      answers: [failure(400, { error: LLAMA_CONTEXT })],
      expect: { error: { code: "model_context_exceeded" } },
    },
    {
      title: "an older server told it as a failure of its own",
      source: "https://github.com/continuedev/continue/issues/9797",
      answers: [
        failure(500, {
          error: {
            code: 500,
            message:
              "the request exceeds the available context size. try increasing the context size or enable context shift",
            type: "server_error",
          },
        }),
      ],
      expect: { error: { code: "model_context_exceeded" } },
    },
    {
      title: "an older server wrote errors into a field that is none of the standard's",
      source: "https://github.com/ggml-org/llama.cpp/pull/16109",
      answers: [stream(`error: ${JSON.stringify(LLAMA_CONTEXT)}\n\n`)],
      expect: { error: { code: "model_context_exceeded" } },
    },
    {
      title: "a proxy in front passes the error on without a field",
      source: "https://github.com/lemonade-sdk/lemonade/issues/2826",
      answers: [stream(JSON.stringify({ error: LLAMA_CONTEXT }))],
      expect: { error: { code: "model_context_exceeded" } },
    },
    {
      title: "a status of 200 holds the error",
      source: "https://github.com/oobabooga/textgen/issues/7257",
      answers: [{ body: { error: LLAMA_CONTEXT } }],
      expect: { error: { code: "model_context_exceeded" } },
    },
    {
      title: "a model that is still loading may be asked again",
      source: "ggml-org/llama.cpp: tools/server/README.md",
      answers: [failure(503, { error: { code: 503, message: "Loading model", type: "unavailable_error" } })],
      expect: { error: { code: "model_unavailable" } },
    },
  ],
};

const LM_STUDIO_CONTEXT =
  "Trying to keep the first 6547 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens, which is not enough.";

export const lmStudio: Provider = {
  name: "LM Studio",
  settings: "`OPENAI_BASE_URL=http://127.0.0.1:1234/v1`",
  cases: [
    {
      title: "an error has an event and its words twice",
      source: "https://github.com/zendev-sh/goai/pull/110",
      answers: [
        stream(
          chunk({ role: "assistant", content: "I" }),
          'event: error\ndata: {"error":{"message":"Compute error."},"message":"Compute error."}\n\n',
        ),
      ],
      expect: { shown: "I", error: { code: "model_stream_broken" } },
    },
    {
      title: "a prompt beyond the context is told by an event of the stream",
      source: "https://github.com/lmstudio-ai/lmstudio-bug-tracker/issues/546",
      answers: [stream(`event: error\ndata: ${JSON.stringify({ error: { message: LM_STUDIO_CONTEXT } })}\n\n`)],
      expect: { error: { code: "model_context_exceeded" } },
    },
    {
      title: "a prompt beyond the context is told as a text",
      source: "https://github.com/Gitlawb/openclaude/issues/353",
      answers: [
        failure(400, {
          error:
            "The number of tokens to keep from the initial prompt is greater than the context length (n_keep: 13055>= n_ctx: 4096). Try to load the model with a larger context length.",
        }),
      ],
      expect: { error: { code: "model_context_exceeded" } },
    },
    {
      title: "a fault of the request is told as a text",
      source: "https://github.com/lmstudio-ai/lmstudio-bug-tracker/issues/237",
      answers: [failure(400, { error: "Model does not support images." })],
      expect: { error: { code: "model_rejected", says: "Model does not support images" } },
    },
    {
      title: "an answer needs no usage",
      source: "https://lmstudio.ai/docs/app/api/endpoints/openai",
      answers: [
        stream(
          choices([{ index: 0, delta: { role: "assistant", content: "Fine" }, logprobs: null, finish_reason: null }]),
          choices([{ index: 0, delta: {}, logprobs: null, finish_reason: "stop" }]),
          DONE,
        ),
      ],
      expect: { shown: "Fine", finishReason: "stop", usage: "estimated" },
    },
  ],
};

const TGI = "huggingface/text-generation-inference: router/src/server.rs";

export const tgi: Provider = {
  name: "Text Generation Inference",
  settings: "`OPENAI_BASE_URL=http://HOST:3000/v1`",
  cases: [
    {
      title: "all calls have the id 0, in pieces that repeat it",
      source: "huggingface/text-generation-inference: router/src/chat.rs",
      by: "loop",
      answers: [
        stream(
          chunk({ role: "assistant", tool_calls: [call("0", "")] }),
          chunk({
            role: "assistant",
            tool_calls: [{ ...call("0", '{"word":'), function: { name: null, arguments: '{"word":' } }],
          }),
          chunk({
            role: "assistant",
            tool_calls: [{ ...call("0", '"ink"}'), function: { name: null, arguments: '"ink"}' } }],
          }),
          chunk({ role: "assistant", content: "" }, "tool_calls"),
          DONE,
        ),
        stream(chunk({ role: "assistant", content: "Wet." }, "stop"), usageChunk(60, 2), DONE),
      ],
      expect: {
        shown: "Wet.",
        calls: [{ name: "lookup", args: { word: "ink" } }],
        sent: [{}, { has: { messages: [{}, {}, { role: "tool", content: "found ink" }] } }],
      },
    },
    {
      title: "the end has the name of a token",
      source: "huggingface/text-generation-inference: router/src/lib.rs",
      answers: [
        stream(
          chunk({ role: "assistant", content: "Wet" }),
          chunk({ role: "assistant", content: "." }, "eos_token"),
          DONE,
        ),
      ],
      expect: { shown: "Wet.", finishReason: "stop" },
    },
    {
      title: "a prompt beyond the context is told as a text with a type",
      source: "huggingface/text-generation-inference: router/src/validation.rs",
      answers: [
        failure(422, {
          error: "Input validation error: `inputs` must have less than 1024 tokens. Given: 2000",
          error_type: "validation",
        }),
      ],
      expect: { error: { code: "model_context_exceeded" } },
    },
    {
      title: "an overload is told by the status of a rate limit",
      source: TGI,
      answers: [failure(429, { error: "Model is overloaded", error_type: "overloaded" })],
      expect: { error: { code: "model_rate_limited" } },
    },
    {
      title: "a generation that failed is told within the stream",
      source: TGI,
      answers: [
        stream(chunk({ role: "assistant", content: "We" }), {
          error: "Request failed during generation",
          error_type: "generation",
        }),
      ],
      expect: { shown: "We", error: { code: "model_stream_broken" } },
    },
  ],
};
