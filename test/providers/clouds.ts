/** GitHub Models, Hugging Face, Snowflake, Cohere, Baidu. */
import type { Provider } from "./provider-case.ts";
import { call, choices, chunk, DONE, FINE, failure, stream, usage, usageChunk } from "./wire.ts";

export const github: Provider = {
  name: "GitHub Models",
  settings: "`OPENAI_BASE_URL=https://models.github.ai/inference`",
  cases: [
    {
      title: "opaque reasoning goes back with its text",
      source: "https://github.com/anomalyco/opencode/pull/8900",
      by: "loop",
      answers: [
        stream(
          chunk({ content: null, reasoning_text: "Look" }),
          chunk({ content: null, reasoning_text: " it up." }),
          chunk({ content: null, reasoning_opaque: "vYv1Q+/==" }),
          chunk({ tool_calls: [call("call_1", '{"word":"ink"}')] }, "tool_calls"),
          DONE,
        ),
        FINE,
      ],
      expect: {
        shown: "All fine.",
        thoughts: "Look it up.",
        calls: [{ id: "call_1", name: "lookup", args: { word: "ink" } }],
        sent: [{}, { has: { messages: [{}, { reasoning_opaque: "vYv1Q+/==", reasoning_text: "Look it up." }, {}] } }],
      },
    },
    {
      title: "a body beyond the model's tokens has status 413",
      source: "https://github.com/eslint/tsc-meetings/pull/593",
      answers: [
        failure(413, {
          error: {
            code: "tokens_limit_reached",
            message: "Request body too large for gpt-4o model. Max size: 8000 tokens.",
            details: "Request body too large for gpt-4o model. Max size: 8000 tokens.",
          },
        }),
      ],
      expect: { error: { code: "model_context_exceeded" } },
    },
    {
      title: "a day to wait is bounded and said",
      source: "https://docs.github.com/en/github-models/use-github-models/prototyping-with-ai-models#rate-limits",
      answers: [
        failure(
          429,
          {
            error: { code: "RateLimitReached", message: "Rate limit of 50 per 86400s exceeded for UserByModelByDay." },
          },
          { "retry-after": "86400" },
        ),
      ],
      expect: { error: { code: "model_rate_limited" } },
    },
    {
      title: "an unknown model is named",
      source: "https://docs.github.com/en/github-models",
      answers: [failure(400, { error: { code: "unknown_model", message: "Unknown model: gpt-9", details: "" } })],
      expect: { error: { code: "model_rejected", says: "gpt-9" } },
    },
  ],
};

export const huggingFace: Provider = {
  name: "Hugging Face (router)",
  settings: "`OPENAI_BASE_URL=https://router.huggingface.co/v1`",
  cases: [
    {
      title: "used-up credits are told as a text",
      source: "https://github.com/huggingface/agents-course/issues/386",
      answers: [failure(402, { error: "You have exceeded your monthly included credits for Inference Providers." })],
      expect: { error: { code: "model_quota_exceeded" } },
    },
    {
      title: "a call has the id of the provider behind it, and usage comes twice",
      source:
        "charmbracelet/fantasy: providertests/testdata/TestOpenAICompatibleCommon/huggingface-kimi-k2/multi_tool_streaming.yaml",
      request: { tools: true },
      answers: [
        stream(
          chunk({ role: "assistant", content: "" }, null, { x_groq: { id: "req_01" } }),
          chunk({ tool_calls: [call("functions.lookup:0", '{"word":"ink"}')] }),
          chunk({}, "tool_calls", { x_groq: { id: "req_01", ...usage(201, 55) }, ...usage(201, 55) }),
          choices([], { ...usage(201, 55), service_tier: "on_demand" }),
          DONE,
        ),
      ],
      expect: {
        calls: [{ id: "functions.lookup:0", name: "lookup", args: { word: "ink" } }],
        finishReason: "tool_calls",
        usage: [201, 55, 256],
      },
    },
    {
      title: "a model that loads may be asked again",
      source: "https://huggingface.co/docs/inference-providers",
      answers: [failure(503, { error: "Model is currently loading", estimated_time: 20 })],
      expect: { error: { code: "model_unavailable" } },
    },
  ],
};

const SNOWFLAKE = { refusal: "", role: "assistant", tool_calls: null };

export const snowflake: Provider = {
  name: "Snowflake Cortex",
  settings: "`OPENAI_BASE_URL=https://ACCOUNT.snowflakecomputing.com/api/v2/cortex/v1`",
  cases: [
    {
      title: "no choice has a finish_reason, and [DONE] makes the answer whole",
      source: "pydantic/pydantic-ai: tests/models/cassettes/test_snowflake/test_snowflake_model_streaming.yaml",
      answers: [
        stream(
          choices([{ delta: { ...SNOWFLAKE, content: "4" }, index: 0 }], { service_tier: "" }),
          choices([{ delta: { ...SNOWFLAKE, content: "" }, index: 0 }], { service_tier: "" }),
          usageChunk(22, 5),
          DONE,
        ),
      ],
      expect: { shown: "4", finishReason: "stop", usage: [22, 5, 27] },
    },
    {
      title: "reasoning stands in details alone, beside an empty text",
      source: "pydantic/pydantic-ai: tests/models/cassettes/test_snowflake/test_snowflake_thinking_streaming.yaml",
      answers: [
        stream(
          choices([
            {
              delta: {
                ...SNOWFLAKE,
                content: "",
                reasoning_details: [{ type: "reasoning.text", text: "2 and 2", index: 0 }],
              },
              index: 0,
            },
          ]),
          choices([{ delta: { ...SNOWFLAKE, content: "4" }, index: 0 }]),
          usageChunk(45, 73),
          DONE,
        ),
      ],
      expect: { shown: "4", thoughts: "2 and 2", usage: [45, 73, 118] },
    },
  ],
};

export const cohere: Provider = {
  name: "Cohere",
  settings: "`OPENAI_BASE_URL=https://api.cohere.ai/compatibility/v1`",
  cases: [
    {
      title: "a fault of the request is told at the top of the body",
      source: "https://docs.cohere.com/reference/errors",
      answers: [failure(400, { id: "0f", message: "invalid request: message must not be empty" })],
      expect: { error: { code: "model_rejected", says: "message must not be empty" } },
    },
    {
      title: "a prompt beyond the context is told by its excess",
      source: "https://docs.cohere.com/reference/errors",
      answers: [
        failure(400, {
          id: "0f",
          message: "too many tokens: size limit exceeded by 11326 tokens. Try using shorter or fewer inputs.",
        }),
      ],
      expect: { error: { code: "model_context_exceeded" } },
    },
    {
      title: "arguments of null are an empty object",
      source: "vercel/ai: packages/cohere/src/__fixtures__/cohere-null-args.json",
      request: { tools: true },
      answers: [
        stream(
          chunk({ tool_calls: [call("lookup_1", "null")] }),
          chunk({ tool_calls: [{ index: 1, id: "lookup_2", function: { name: "lookup", arguments: null } }] }),
          chunk({}, "tool_calls"),
          DONE,
        ),
      ],
      expect: {
        calls: [
          { id: "lookup_1", name: "lookup", args: {} },
          { id: "lookup_2", name: "lookup", args: {} },
        ],
      },
    },
    {
      title: "an answer that reached its most tokens says so in capitals",
      source: "vercel/ai: packages/cohere/src/__fixtures__/cohere-max-tokens.json",
      answers: [stream(chunk({ content: "And" }), chunk({}, "MAX_TOKENS"), DONE)],
      expect: { shown: "And", finishReason: "length" },
    },
  ],
};

export const baidu: Provider = {
  name: "Baidu Qianfan",
  settings: "`OPENAI_BASE_URL=https://qianfan.baidubce.com/v2`",
  cases: [
    {
      title: "a code that is no status says what is wrong",
      source: "https://cloud.baidu.com/doc/qianfan-docs/s/im8p8iux8",
      answers: [
        failure(400, {
          error: { code: "invalid_model", message: "No permission to use the model", type: "invalid_request_error" },
          id: "as-1",
        }),
      ],
      expect: { error: { code: "model_rejected", says: "No permission to use the model" } },
    },
    {
      title: "an error of the older form has status 200",
      source: "songquanpeng/one-api: relay/adaptor/baidu/model.go",
      answers: [{ body: { error_code: 336003, error_msg: "the max length of current question is 2000" } }],
      expect: { error: { code: "model_context_exceeded", says: "max length of current question" } },
    },
    {
      title: "a flag beside the choice says that the question was unsafe",
      source: "https://cloud.baidu.com/doc/qianfan-api/s/3m9b5lqft",
      answers: [
        stream(
          choices([{ index: 0, delta: { content: "我们换个话题吧" }, finish_reason: "content_filter", flag: 1 }]),
          DONE,
        ),
      ],
      expect: { shown: "我们换个话题吧", finishReason: "content_filter" },
    },
  ],
};
