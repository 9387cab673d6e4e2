/** Azure OpenAI. */
import type { Provider } from "./provider-case.ts";
import { choices, chunk, DONE, FINE, failure, stream, usageChunk } from "./wire.ts";

const SAFE = { hate: { filtered: false, severity: "safe" }, violence: { filtered: false, severity: "safe" } };
const FILTER_DOCS = "https://learn.microsoft.com/azure/ai-services/openai/concepts/content-streaming";
const ERROR_DOCS = "https://learn.microsoft.com/azure/ai-services/openai/reference";

export const azure: Provider = {
  name: "Azure OpenAI",
  settings: "`OPENAI_BASE_URL=https://NAME.openai.azure.com/openai/v1`",
  cases: [
    {
      title: "the first chunk holds the prompt's filter results and no choice",
      source: "vercel/ai: packages/openai/src/chat/__fixtures__/azure-model-router.1.chunks.txt",
      answers: [
        stream(
          { ...choices([]), id: "", model: "", object: "", created: 0, prompt_filter_results: [{ prompt_index: 0 }] },
          choices([{ index: 0, delta: { content: "", role: "assistant" }, finish_reason: null, logprobs: null }]),
          choices([{ index: 0, delta: { content: "Rome" }, finish_reason: null, content_filter_results: SAFE }]),
          choices([{ index: 0, delta: {}, finish_reason: "stop", content_filter_results: {} }]),
          usageChunk(15, 78),
          DONE,
        ),
      ],
      expect: { shown: "Rome", finishReason: "stop", usage: [15, 78, 93] },
    },
    {
      title: "results of the asynchronous filter come in choices without a delta",
      source: FILTER_DOCS,
      answers: [
        stream(
          chunk({ content: "Rome" }),
          choices([
            { index: 0, finish_reason: null, content_filter_results: SAFE, content_filter_offsets: { end_offset: 4 } },
          ]),
          chunk({}, "stop"),
          choices([
            { index: 0, finish_reason: null, content_filter_results: SAFE, content_filter_offsets: { end_offset: 4 } },
          ]),
          DONE,
        ),
      ],
      expect: { shown: "Rome", finishReason: "stop" },
    },
    {
      title: "the filter cuts an answer that has begun",
      source: FILTER_DOCS,
      answers: [
        stream(
          chunk({ content: "First, take" }),
          choices([
            {
              index: 0,
              delta: {},
              finish_reason: "content_filter",
              content_filter_results: { violence: { filtered: true } },
            },
          ]),
          DONE,
        ),
      ],
      expect: { shown: "First, take", finishReason: "content_filter" },
    },
    {
      title: "a prompt that the filter refuses is told in the provider's words",
      source: "https://github.com/openai/openai-dotnet/issues/55",
      answers: [
        failure(400, {
          error: {
            message: "The response was filtered due to the prompt triggering the content management policy.",
            type: null,
            param: "prompt",
            code: "content_filter",
            status: 400,
            innererror: {
              code: "ResponsibleAIPolicyViolation",
              content_filter_result: { violence: { filtered: true } },
            },
          },
        }),
      ],
      expect: { error: { code: "model_rejected", says: "content management policy" } },
    },
    {
      title: "an older api-version knows no stream_options, which is remembered",
      source: "https://github.com/openai/openai-python/issues/1469",
      times: 2,
      answers: [
        failure(400, {
          error: {
            message: "Unrecognized request argument supplied: stream_options",
            type: "invalid_request_error",
            param: null,
            code: null,
          },
        }),
        stream(chunk({ content: "All fine." }, "stop"), DONE),
        stream(chunk({ content: "All fine." }, "stop"), DONE),
      ],
      expect: {
        shown: "All fine.",
        usage: "estimated",
        sent: [
          { has: { stream_options: { include_usage: true } } },
          { lacks: ["stream_options"] },
          { lacks: ["stream_options"] },
        ],
      },
    },
    {
      title: "max_tokens and stream_options are refused one after the other",
      source: "https://learn.microsoft.com/azure/ai-services/openai/how-to/reasoning",
      request: { options: { model: "o1", maxTokens: 50 } },
      answers: [
        failure(400, {
          error: {
            message: "Unsupported parameter: 'max_tokens' is not supported with this model.",
            type: "invalid_request_error",
            param: "max_tokens",
            code: "unsupported_parameter",
          },
        }),
        failure(400, { error: { message: "Unrecognized request argument supplied: stream_options", code: null } }),
        FINE,
      ],
      expect: {
        shown: "All fine.",
        usage: [9, 3, 12],
        sent: [{}, {}, { has: { max_completion_tokens: 50 }, lacks: ["max_tokens", "stream_options"] }],
      },
    },
    {
      title: "a deployment that does not exist is told",
      source: ERROR_DOCS,
      answers: [failure(404, { error: { code: "DeploymentNotFound", message: "The API deployment does not exist." } })],
      expect: { error: { code: "model_rejected", says: "deployment does not exist" } },
    },
    {
      title: "a wrong key is told by the gateway in a form of its own",
      source: ERROR_DOCS,
      answers: [failure(401, { statusCode: 401, message: "Access denied due to invalid subscription key." })],
      expect: { error: { code: "model_auth_failed" } },
    },
    {
      title: "the rate limit has its status as code, as a text",
      source: ERROR_DOCS,
      answers: [
        failure(
          429,
          { error: { code: "429", message: "Requests have exceeded the call rate limit. Retry after 26 seconds." } },
          { "retry-after": "26" },
        ),
      ],
      expect: { error: { code: "model_rate_limited", retryAfterMs: 26_000 } },
    },
  ],
};
