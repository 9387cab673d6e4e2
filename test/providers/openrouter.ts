/** OpenRouter. */
import { detail, native, REASONING_GOES_BACK } from "./openrouter-reasoning.ts";
import type { Provider } from "./provider-case.ts";
import { choices, DONE, failure, stream, usage } from "./wire.ts";

const ERRORS = "https://openrouter.ai/docs/api-reference/errors";
const PROCESSING = ": OPENROUTER PROCESSING\n\n";

export const openrouter: Provider = {
  name: "OpenRouter",
  settings: "`OPENAI_BASE_URL=https://openrouter.ai/api/v1`",
  cases: [
    {
      title: "comments come before the first chunk, and the finish comes twice",
      source: "charmbracelet/fantasy: providertests/testdata/TestOpenRouterCommon/openai/tool_streaming.yaml",
      answers: [
        stream(
          PROCESSING,
          PROCESSING,
          native({ content: "Hi" }, null, null),
          native({ content: "." }, null, null),
          native({ content: "" }, "stop", "completed", { service_tier: "default" }),
          native({ content: "" }, "stop", "completed", usage(109, 5)),
          DONE,
        ),
      ],
      expect: { shown: "Hi.", finishReason: "stop", usage: [109, 5, 114] },
    },
    {
      title: "reasoning and its details say the same, which counts once",
      source: "charmbracelet/fantasy: providertests/testdata/TestOpenRouterCommon/glm/multi_tool_streaming.yaml",
      answers: [
        stream(
          native({ content: "", reasoning: "Greet", reasoning_details: detail("Greet") }, null, null),
          native({ content: "", reasoning: " back.", reasoning_details: detail(" back.") }, null, null),
          native({ content: "Hi.", reasoning: null }, "stop", "stop", usage(12, 9)),
          DONE,
        ),
      ],
      expect: { shown: "Hi.", thoughts: "Greet back.", finishReason: "stop", usage: [12, 9, 21] },
    },
    {
      title: "encrypted reasoning is no text",
      source: "pydantic/pydantic-ai: tests/models/cassettes/test_openrouter/test_openrouter_stream_with_reasoning.yaml",
      answers: [
        stream(
          native(
            {
              content: "",
              reasoning: null,
              reasoning_details: [{ type: "reasoning.encrypted", data: "gAAA", index: 0 }],
            },
            null,
            null,
          ),
          native({ content: "I think so." }, "stop", "completed"),
          choices([{ index: 0, delta: { role: "assistant", content: "" }, finish_reason: null }], usage(9, 104)),
          DONE,
        ),
      ],
      expect: { shown: "I think so.", finishReason: "stop", usage: [9, 104, 113] },
    },
    {
      title: "a provider that drops out is told in a chunk beside its choice",
      source: ERRORS,
      answers: [
        stream(native({ content: "One, two" }, null, null), {
          ...native({ content: "" }, "error", null),
          error: { code: "server_error", message: "Provider disconnected unexpectedly" },
        }),
      ],
      expect: { shown: "One, two", error: { code: "model_stream_broken" } },
    },
    {
      title: "a failure may stand within the choice",
      source: "https://openrouter.ai/docs/api-reference/overview",
      answers: [
        stream(
          native({ content: "One" }, null, null),
          choices([
            { index: 0, delta: { content: "" }, finish_reason: "error", error: { code: 502, message: "Bad gateway" } },
          ]),
          DONE,
        ),
      ],
      expect: { shown: "One", error: { code: "model_unavailable" } },
    },
    {
      title: "a code within the stream is a status",
      source: ERRORS,
      answers: [
        stream(PROCESSING, { error: { code: 429, message: "Rate limit exceeded: free-models-per-min." } }, DONE),
      ],
      expect: { error: { code: "model_rate_limited" } },
    },
    {
      title: "a fault of the request is told after the answer was cut",
      source: "pydantic/pydantic-ai: tests/models/cassettes/test_openrouter/test_openrouter_stream_error.yaml",
      answers: [
        stream(
          native({ content: "", reasoning: "We need" }, null, null),
          native({ content: "", reasoning: null, reasoning_details: [] }, "length", "length"),
          {
            ...native({ content: "" }, null, null, usage(43, 10)),
            error: { code: 400, message: "Field seed is not allowed" },
          },
          DONE,
        ),
      ],
      expect: { thoughts: "We need", error: { code: "model_rejected", says: "Field seed is not allowed" } },
    },
    {
      title: "missing credits are a quota",
      source: "https://github.com/bobrware/bobrchat/issues/143",
      answers: [
        failure(402, { error: { message: "This request requires more credits, or fewer max_tokens.", code: 402 } }),
      ],
      expect: { error: { code: "model_quota_exceeded" } },
    },
    {
      title: "a limit of the provider behind it may be tried again",
      source: "pydantic/pydantic-ai: tests/models/cassettes/test_openrouter/test_openrouter_errors_raised.yaml",
      answers: [
        failure(429, {
          error: {
            code: 429,
            message: "Provider returned error",
            metadata: { provider_name: "Google", raw: "the model is temporarily rate-limited upstream" },
          },
          user_id: "user_2wT",
        }),
      ],
      expect: { error: { code: "model_rate_limited" } },
    },
    {
      title: "the words of the provider behind it are told",
      source: "https://github.com/OnesoftQwQ/opencode-go-copilot/issues/1",
      answers: [
        failure(400, {
          error: {
            message: "Provider returned error",
            code: 400,
            metadata: {
              raw: '{"error":{"message":"top_k is not supported","type":"invalid_request_error"}}',
              provider_name: "Moonshot",
            },
          },
        }),
      ],
      expect: { error: { code: "model_rejected", says: "top_k is not supported" } },
    },
    {
      title: "a request that moderation flagged is no wrong key",
      source: ERRORS,
      answers: [
        failure(403, {
          error: {
            code: 403,
            message: "Your chosen model requires moderation and your input was flagged",
            metadata: { reasons: ["violence"], flagged_input: "…", provider_name: "OpenAI", model_slug: "m" },
          },
        }),
      ],
      expect: { error: { code: "model_rejected", says: "your input was flagged" } },
    },
    {
      title: "a status of 200 may hold an error",
      source: ERRORS,
      answers: [{ body: { error: { code: 502, message: "Upstream is down." }, user_id: "user_2wT" } }],
      expect: { error: { code: "model_unavailable" } },
    },
    ...REASONING_GOES_BACK,
  ],
};
