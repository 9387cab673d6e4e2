/** Failures that only the words of a provider tell apart. */
import { describe, expect, test } from "vitest";
import { type Answer, failureFor, json } from "../../../../../test/support/scripted-provider.ts";

describe("a conversation that is too long for the model", () => {
  test.each<[provider: string, answer: Answer]>([
    ["OpenAI", json(400, { error: { message: "Too long.", code: "context_length_exceeded" } })],
    [
      "vLLM",
      json(400, {
        object: "error",
        message:
          "This model's maximum context length is 4096 tokens. However, you requested 5000 " +
          "tokens (4900 in the messages, 100 in the completion).",
        type: "BadRequestError",
        code: 400,
      }),
    ],
    [
      "vLLM, newer",
      json(400, {
        error: {
          message: "The decoder prompt (length 9000) is longer than the maximum model length of 8192.",
          type: "BadRequestError",
          code: 400,
        },
      }),
    ],
    [
      "llama.cpp",
      json(400, {
        error: {
          code: 400,
          message: "the request exceeds the available context size. try increasing the context size",
          type: "exceed_context_size_error",
          n_prompt_tokens: 9000,
          n_ctx: 4096,
        },
      }),
    ],
    ["llama.cpp, older, with 500", json(500, { error: { code: 500, message: "context size has been exceeded" } })],
    [
      "Ollama",
      json(400, { error: { message: "prompt too long; exceeded max context length by 4 tokens", type: "api_error" } }),
    ],
    ["Ollama's embeddings", json(500, { error: "the input length exceeds the context length" })],
    [
      "SGLang",
      json(400, {
        object: "error",
        message: "The input (9000 tokens) is longer than the model's context length (8192 tokens).",
        code: 400,
      }),
    ],
    [
      "LM Studio",
      json(400, {
        error:
          "Trying to keep the first 9000 tokens when context the overflows. However, the " +
          "model is loaded with context length of only 4096 tokens",
      }),
    ],
    [
      "TGI",
      json(422, {
        error:
          "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. " +
          "Given: 5000 `inputs` tokens and 100 `max_new_tokens`",
        error_type: "validation",
      }),
    ],
    [
      "Anthropic",
      json(400, {
        type: "error",
        error: { type: "invalid_request_error", message: "prompt is too long: 215000 tokens > 200000 maximum" },
      }),
    ],
    ["Anthropic, in bytes", json(413, { type: "error", error: { type: "request_too_large", message: "Too large" } })],
    [
      "Gemini",
      json(400, [
        {
          error: {
            code: 400,
            message: "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
            status: "INVALID_ARGUMENT",
          },
        },
      ]),
    ],
    [
      "Mistral",
      json(400, {
        object: "error",
        message:
          "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
        type: "invalid_request_prompt",
        code: "3051",
      }),
    ],
    ["Qwen", json(400, { error: { message: "Range of input length should be [1, 6000]", code: "invalid_parameter" } })],
    ["Moonshot", json(400, { error: { message: "Invalid request: Your request exceeded model token limit: 8192" } })],
    ["Zhipu", json(400, { error: { code: "1261", message: "Prompt 超长" } })],
    [
      "Groq",
      json(400, {
        error: { message: "Please reduce the length of the messages or completion.", type: "invalid_request_error" },
      }),
    ],
    [
      "Groq's limit of one request",
      json(413, {
        error: {
          message:
            "Request too large for model `x` on tokens per minute (TPM): Limit 6000, " +
            "Requested 9000, please reduce your message size and try again.",
          type: "tokens",
          code: "rate_limit_exceeded",
        },
      }),
    ],
    [
      "Together",
      json(422, {
        error: { message: "Input validation error: `inputs` must have less than 8192 tokens. Given: 9000", code: null },
      }),
    ],
    ["Bedrock", json(400, { message: "Input is too long for requested model." })],
    [
      "xAI",
      json(400, {
        code: "Client specified an invalid argument",
        error: "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
      }),
    ],
    ["MiniMax", json(400, { error: { message: "invalid params, context window exceeds limit (2013)" } })],
    [
      "SiliconFlow",
      json(400, {
        code: 20015,
        message: "length of prompt_tokens (40000) must be less than max_seq_len (32768).",
        data: null,
      }),
    ],
    ["Volcengine", json(400, { error: { message: "Total tokens of image and text exceed max message tokens" } })],
    ["Baidu", json(400, { error_code: 336103, error_msg: "prompt tokens too long" })],
    ["llama-cpp-python", json(400, { error: { message: "Requested tokens (9000) exceed context window of 8192" } })],
    ["Copilot", json(400, { error: { message: "prompt token count of 140000 exceeds the limit of 128000" } })],
    ["LM Studio, newer", json(400, { error: "Cannot truncate prompt with n_keep (9000) >= n_ctx (4096)" })],
    ["a proxy", { status: 413, body: "<html><title>413 Request Entity Too Large</title></html>" }],
  ])("the words of %s are model_context_exceeded", async (_, answer) => {
    const error = await failureFor(answer);
    expect(error).toMatchObject({ code: "model_context_exceeded", retryable: false });
    expect(error.message).toMatch(/^The conversation is too long for the model/);
  });

  test("a limit of tokens per minute is no conversation that is too long", async () => {
    const bedrock = json(429, { message: "Too many tokens, please wait before trying again." });
    expect((await failureFor(bedrock)).code).toBe("model_rate_limited");
    const openai = json(429, {
      error: {
        message:
          "Rate limit reached on tokens per min (TPM): Limit 30000, Used 29000, Requested " +
          "2000. Please try again in 2s.",
        type: "tokens",
        code: "rate_limit_exceeded",
      },
    });
    expect(await failureFor(openai)).toMatchObject({ code: "model_rate_limited", retryAfterMs: 2_000 });
  });
});

describe("a quota or a balance that is used up", () => {
  test.each<[provider: string, answer: Answer]>([
    ["a status alone", { status: 402, body: "" }],
    ["OpenAI, by code", json(429, { error: { message: "See billing.", type: "tokens", code: "insufficient_quota" } })],
    ["OpenAI, by type", json(429, { error: { message: "See billing.", type: "insufficient_quota", code: null } })],
    [
      "Moonshot",
      json(429, {
        error: {
          message: "Your account org-x is suspended, please check your plan and billing details",
          type: "exceeded_current_quota_error",
        },
      }),
    ],
    ["Moonshot, by words", json(429, { error: { message: "Your account is suspended due to insufficient balance" } })],
    [
      "DeepSeek",
      json(402, { error: { message: "Insufficient Balance", type: "unknown_error", code: "invalid_request_error" } }),
    ],
    ["Alibaba", json(400, { error: { code: "Arrearage", message: "Access denied, your account is in arrears." } })],
    ["Alibaba's free tier", json(403, { code: "AllocationQuota.FreeTierOnly", message: "The free tier is used up" })],
    [
      "Anthropic",
      json(400, { type: "error", error: { type: "invalid_request_error", message: "Your credit balance is too low" } }),
    ],
    ["SiliconFlow", json(403, { code: 30001, message: "Sorry, your account balance is insufficient", data: null })],
    ["xAI", json(403, { error: "Your newly created teams don't have any credits yet." })],
    [
      "OpenRouter",
      json(402, { error: { code: 402, message: "This request requires more credits, or fewer max_tokens." } }),
    ],
    ["Hugging Face", json(402, { error: "You have exceeded your monthly included credits for Inference Providers." })],
    ["Zhipu", json(429, { error: { code: "1113", message: "您的账户已欠费，请充值后重试。" } })],
    [
      "one-api",
      json(403, { error: { message: "用户额度不足", type: "new_api_error", code: "insufficient_user_quota" } }),
    ],
    [
      "LiteLLM",
      json(400, {
        error: { message: "Budget has been exceeded! Current cost: 2", type: "budget_exceeded", code: "400" },
      }),
    ],
    ["MiniMax", json(400, { base_resp: { status_code: 1008, status_msg: "insufficient balance" } })],
    [
      "Volcengine",
      json(403, { error: { code: "AccountOverdueError", message: "The account has an overdue balance" } }),
    ],
  ])("the words of %s are model_quota_exceeded, and not retried", async (_, answer) => {
    expect(await failureFor(answer)).toMatchObject({ code: "model_quota_exceeded", retryable: false });
  });

  test("Gemini's limit per minute, which says when to try again, is no used up quota", async () => {
    const answer = json(429, [
      {
        error: {
          code: 429,
          message: "You exceeded your current quota, please check your plan and billing details.",
          status: "RESOURCE_EXHAUSTED",
          details: [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "33.5s" }],
        },
      },
    ]);
    expect(await failureFor(answer)).toMatchObject({ code: "model_rate_limited", retryAfterMs: 33_500 });
  });
});
