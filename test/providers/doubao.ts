/** Volcengine Ark: Doubao. */
import type { Provider } from "./provider-case.ts";
import { chunk, DONE, failure, stream, usageChunk } from "./wire.ts";

const CODES = "https://www.volcengine.com/docs/82379/1299023";

export const doubao: Provider = {
  name: "Volcengine (Doubao)",
  settings: "`OPENAI_BASE_URL=https://ark.cn-beijing.volces.com/api/v3`",
  cases: [
    {
      title: "each chunk has an empty text beside the reasoning",
      source: "https://www.volcengine.com/docs/82379/1494384",
      answers: [
        stream(
          chunk({ content: "", reasoning_content: "用户问好", role: "assistant" }, null, {
            usage: null,
            service_tier: "default",
          }),
          chunk({ content: "", reasoning_content: "。", role: "assistant" }),
          chunk({ content: "你好", role: "assistant" }),
          chunk({ content: "", role: "assistant" }, "stop"),
          usageChunk(88, 60),
          DONE,
        ),
      ],
      expect: { shown: "你好", thoughts: "用户问好。", finishReason: "stop", usage: [88, 60, 148] },
    },
    {
      title: "an overdue account is a quota although its status is 403",
      source: CODES,
      answers: [
        failure(403, {
          error: {
            code: "AccountOverdueError",
            message: "The request failed because your account has an overdue balance. Request id: 0217",
            param: "",
            type: "Forbidden",
          },
        }),
      ],
      expect: { error: { code: "model_quota_exceeded" } },
    },
    {
      title: "an endpoint that does not exist is named",
      source: CODES,
      answers: [
        failure(404, {
          error: {
            code: "InvalidEndpointOrModel.NotFound",
            message: "The model or endpoint ep-0 does not exist or you do not have access to it.",
            param: "",
            type: "Not Found",
          },
        }),
      ],
      expect: { error: { code: "model_rejected", says: "ep-0" } },
    },
    {
      title: "a rate limit of tokens in a minute is tried again",
      source: CODES,
      answers: [
        failure(429, {
          error: {
            code: "RateLimitExceeded.EndpointTPMExceeded",
            message: "The Tokens Per Minute limit of the associated endpoint has been exceeded.",
            param: "",
            type: "TooManyRequests",
          },
        }),
      ],
      expect: { error: { code: "model_rate_limited" } },
    },
    {
      title: "a sensitive question is refused in the provider's words",
      source: CODES,
      answers: [
        failure(400, {
          error: {
            code: "SensitiveContentDetected",
            message: "The request failed because the input text may contain sensitive information.",
            param: "",
            type: "BadRequest",
          },
        }),
      ],
      expect: { error: { code: "model_rejected", says: "sensitive information" } },
    },
  ],
};
