/**
 * Phrases of providers' messages, in lower case. Data, in the order in which it applies: the first entry that fits says
 * what the failure means. They are looked for in the beginning of a message, in linear time.
 */
import type { ErrorCode } from "@agent-paas/shared/errors/codes.ts";

type Phrases = {
  readonly code: ErrorCode;
  /** A failure whose message contains one of these, or every part of one. */
  readonly phrases: readonly (string | readonly string[])[];
  /** Does not apply to a failure that says when to try again. */
  readonly isFinal?: boolean;
  /** Applies to these statuses only. Default: to all. */
  readonly statuses?: readonly number[];
};

/** In the order in which they apply. In lower case. */
export const PHRASES: readonly Phrases[] = [
  // Bedrock's words for its limit of tokens per minute, which others use for the context.
  {
    code: "model_rate_limited",
    phrases: [
      ["too many tokens", "wait before trying again"],
      ["too many tokens", "per minute"],
    ],
  },
  // One request above the account's limit of tokens per minute: waiting does not help, a shorter one does.
  {
    code: "model_context_exceeded",
    phrases: [["request too large for", "must be reduced"], "reduce your message size"],
  },
  {
    code: "model_context_exceeded",
    // With 429 the same words are about tokens per minute.
    statuses: [400, 401, 403, 404, 413, 422, 500, 501, 502, 503],
    phrases: [
      // OpenAI, Azure, DeepSeek, OpenRouter, Groq, vLLM and SGLang in their older words
      "maximum context length",
      "context_length_exceeded",
      "reduce the length of the messages",
      "exceeds the context window",
      "string too long. expected a string with maximum length",
      // vLLM, SGLang
      "maximum model length",
      // The prompt leaves no room for an answer.
      "max_tokens must be at least 1, got -",
      ["longer than the model", "context length"],
      "longer than the maximum model",
      ["longer than the maximum", "length"],
      ["input length", "exceeds", "length"],
      ["decoder prompt", "maximum"],
      // llama.cpp and its Python server, LM Studio, Ollama, KoboldCpp
      "available context size",
      "exceed_context_size",
      "context size has been exceeded",
      ["exceed", "context window"],
      ["exceed", "context size"],
      ["exceed", "context length"],
      ["exceed", "context limit"],
      "greater than the context length",
      "longer than the context length",
      "more than the context length",
      "configured context size",
      ["trying to keep the first", "context"],
      ["overflows", "context"],
      ["does not fit", "context"],
      ["too long", "context"],
      ["too large", "context"],
      "context length is only",
      "context window full",
      "input is too large",
      "n_ctx",
      // TGI
      ["input validation error", "max_new_tokens", "must be <="],
      ["input validation error", "must have less than", "tokens"],
      // Anthropic, Bedrock, and servers that follow them
      "prompt is too long",
      "prompt too long",
      "input is too long",
      "input too long",
      "prompt tokens too long",
      "length too long",
      "too many input tokens",
      "too many total text bytes",
      ["input length and", "exceed"],
      "request exceeds the maximum size",
      "request_too_large",
      ["malformed input request", "expected maxlength"],
      // Gemini
      ["input token count", "exceeds"],
      ["token count", "exceeds the maximum"],
      "exceeds the maximum number of tokens",
      // Mistral, Together, Fireworks, Cohere, xAI, Cerebras
      "too large for model with",
      ["tokens", "inputs must have less than"],
      ["`inputs` tokens", "must be <="],
      "prompt exceeds",
      "maximum prompt length",
      "maximum allowed input length",
      "maximum allowed number of input tokens",
      "too many tokens",
      "token limit exceeded",
      ["token", "exceeds the limit"],
      "exceeds token limit",
      ["length of prompt_tokens", "must be less than"],
      // Moonshot, Qwen, Zhipu, MiniMax, Volcengine, Baidu
      "exceeded model token limit",
      "range of input length should be",
      "input length should be",
      "exceed max message tokens",
      ["total tokens", "exceed", "max"],
      "max length of current question",
      "prompt 超长",
      "输入过长",
      ["超过", "上下文"],
      ["超出", "上下文"],
      ["超过", "最大长度"],
      ["超出", "最大长度"],
      ["tokens", "超过"],
      ["token", "超出"],
    ],
  },
  {
    code: "model_quota_exceeded",
    isFinal: true,
    phrases: [
      "insufficient_quota",
      "insufficient quota",
      "exceeded your current quota",
      "exceeded_current_quota",
      "exceeded current quota",
      "quota has been exhausted",
      "quota is exhausted",
      "quota exhausted",
    ],
  },
  {
    code: "model_quota_exceeded",
    phrases: [
      ["insufficient", "balance"],
      ["insufficient", "credit"],
      ["insufficient", "funds"],
      ["balance", "not enough"],
      ["credit balance", "too low"],
      ["balance", "too low"],
      "out of credit",
      "more credits",
      "no credits",
      "not enough credit",
      "any credits",
      ["credits", "depleted"],
      ["credits", "exhausted"],
      ["exceeded", "included credits"],
      ["free tier", "exhausted"],
      ["suspended", "account"],
      ["suspended", "billing"],
      ["suspended", "payment"],
      ["suspended", "recharge"],
      "account is suspended",
      "account is not active",
      "arrearage",
      "overdue",
      "good standing",
      "payment required",
      "payment method",
      "purchase credits",
      "add credits",
      "billing hard limit",
      "requires billing",
      ["billing", "enabled"],
      "spending limit",
      "spend limit",
      ["budget", "exceeded"],
      "specified api usage limits",
      "monthly usage limit",
      ["exceeded", "monthly", "quota"],
      "余额不足",
      "欠费",
      "额度不足",
      "额度已用尽",
      "请充值",
    ],
  },
  {
    code: "model_auth_failed",
    // Elsewhere the words are those of a request that is at fault.
    statuses: [400, 401, 403, 404, 500],
    phrases: [
      "api key not valid",
      "api key expired",
      "invalid api key",
      "invalid api-key",
      "incorrect api key",
      "invalid_api_key",
      "api_key_invalid",
      "api key is invalid",
      "api key provided is invalid",
      "invalid x-api-key",
      "invalid authentication",
      "no api key",
      "missing api key",
      "api key is missing",
      "authentication fails",
      "authentication failed",
      "no auth credentials",
      "令牌无效",
      "无效的令牌",
    ],
  },
  {
    // A limit that the provider reports with another status than 429.
    code: "model_rate_limited",
    statuses: [400, 403, 500, 503],
    phrases: ["rate limit", "rate_limit", "too many requests", "throttl", "concurrency limit"],
  },
  {
    // The request is at fault: another key would not help.
    code: "model_rejected",
    statuses: [400, 403],
    phrases: [
      "country, region, or territory",
      "user location is not supported",
      "not available in your",
      // Pages of firewalls
      "attention required",
      "just a moment",
      "cloudflare",
      "moderation",
      "flagged",
      "content policy",
      "safety",
      "does not have access to model",
      "do not have access to",
    ],
  },
  {
    // Templates and models that run inside a server: a retry would not help.
    code: "model_rejected",
    statuses: [400, 403, 500],
    phrases: [
      "does not support tools",
      "does not support tool",
      "roles must alternate",
      "role not supported",
      "jinja",
      "chat template",
    ],
  },
];
