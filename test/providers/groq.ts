/** Groq. */
import type { Provider } from "./provider-case.ts";
import { call, choices, chunk, DONE, failure, stream, usage } from "./wire.ts";

const ERRORS = "https://console.groq.com/docs/errors";
const FAILED_CALL = {
  message: "Failed to call a function. Please adjust your prompt.",
  type: "invalid_request_error",
  code: "tool_use_failed",
  failed_generation: '{"name": "lookup", "arguments": {"letter": "i"}}',
};

export const groq: Provider = {
  name: "Groq",
  settings: "`OPENAI_BASE_URL=https://api.groq.com/openai/v1`",
  cases: [
    {
      title: "a failure within the stream stands among its own fields",
      source: "https://console.groq.com/docs/errors",
      answers: [
        stream(
          chunk({ content: "Fi" }),
          chunk({}, null, { x_groq: { error: "tool call failed", error_status_code: 400 } }),
        ),
      ],
      expect: { shown: "Fi", error: { code: "model_rejected", says: "tool call failed" } },
    },
    {
      title: "usage stands in x_groq alone",
      source: "vercel/ai: packages/groq/src/__fixtures__/groq-text.chunks.txt",
      answers: [
        stream(
          chunk({ role: "assistant", content: "" }, null, { x_groq: { id: "req_01", seed: 7 } }),
          chunk({ content: "Yes." }),
          chunk({}, "stop", { x_groq: { id: "req_01", ...usage(17, 4), queue_time: 0.17 } }),
          DONE,
        ),
      ],
      expect: { shown: "Yes.", finishReason: "stop", usage: [17, 4, 21] },
    },
    {
      title: "reasoning has a field and a channel of its own, and usage comes three times",
      source: "vercel/ai: packages/groq/src/__fixtures__/groq-reasoning.chunks.txt",
      answers: [
        stream(
          chunk({ reasoning: "Count", channel: "analysis" }),
          chunk({ reasoning: " them." }),
          chunk({ content: "Three." }),
          chunk({}, "stop", { x_groq: { id: "req_02", ...usage(17, 30) }, ...usage(17, 30) }),
          choices([], { ...usage(17, 30), service_tier: "on_demand" }),
          DONE,
        ),
      ],
      expect: { shown: "Three.", thoughts: "Count them.", finishReason: "stop", usage: [17, 30, 47] },
    },
    {
      title: "a call without arguments comes whole",
      source: "vercel/ai: packages/groq/src/__fixtures__/groq-tool-call.chunks.txt",
      request: { tools: true },
      answers: [
        stream(
          chunk({ role: "assistant", content: null }),
          chunk({ tool_calls: [call("tk85n1k4m", "{}")] }),
          chunk({}, "tool_calls"),
          DONE,
        ),
      ],
      expect: { calls: [{ id: "tk85n1k4m", name: "lookup", args: {} }], finishReason: "tool_calls" },
    },
    {
      title: "a call that the provider cannot read is refused with its words",
      source: "pydantic/pydantic-ai: tests/models/cassettes/test_groq/test_tool_use_failed_error.yaml",
      answers: [failure(400, { error: FAILED_CALL })],
      expect: { error: { code: "model_rejected", says: "Failed to call a function" } },
    },
    {
      title: "a call that the provider cannot read ends the stream with an event of its own",
      source: "pydantic/pydantic-ai: tests/models/cassettes/test_groq/test_tool_use_failed_error_streaming.yaml",
      answers: [
        stream(
          chunk({ reasoning: "Call it." }),
          `event: error\ndata: ${JSON.stringify({ error: { ...FAILED_CALL, status_code: 400 } })}\n\n`,
        ),
      ],
      expect: { thoughts: "Call it.", error: { code: "model_rejected", says: "Failed to call a function" } },
    },
    {
      title: "the time to wait has a fraction",
      source: "https://console.groq.com/docs/rate-limits",
      answers: [
        failure(
          429,
          { error: { message: "Rate limit reached for model.", type: "tokens", code: "rate_limit_exceeded" } },
          { "retry-after": "7.66" },
        ),
      ],
      expect: { error: { code: "model_rate_limited", retryAfterMs: 7_660 } },
    },
    {
      title: "a wrong key is told",
      source: ERRORS,
      answers: [
        failure(401, { error: { message: "Invalid API Key", type: "invalid_request_error", code: "invalid_api_key" } }),
      ],
      expect: { error: { code: "model_auth_failed" } },
    },
  ],
};
