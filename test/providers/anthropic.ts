/** Anthropic by its OpenAI-compatible endpoint. */
import type { Provider } from "./provider-case.ts";
import { call, chunk, DONE, failure, stream, usageChunk } from "./wire.ts";

const ERRORS = "https://docs.anthropic.com/en/api/errors";

/** An error as Anthropic writes it; the compatible endpoint passes it on. */
const failing = (status: number, type: string, message: string, headers?: Record<string, string>) =>
  failure(status, { type: "error", error: { type, message }, request_id: "req_011C" }, headers);

export const anthropic: Provider = {
  name: "Anthropic",
  settings: "`OPENAI_BASE_URL=https://api.anthropic.com/v1`",
  cases: [
    {
      title: "a call behind a text has index 1, and its pieces begin with empty ones",
      source: "vercel/ai: packages/openai-compatible/src/chat/__fixtures__/anthropic-fallback-tool-call.sse",
      request: { tools: true },
      answers: [
        stream(
          chunk({ role: "assistant" }),
          chunk({ content: "Let me see." }),
          chunk({ tool_calls: [call("toolu_01", "", { index: 1 })] }),
          chunk({ tool_calls: [{ index: 1, function: { arguments: "" } }] }),
          chunk({ tool_calls: [{ index: 1, function: { arguments: '{"wo' } }] }),
          chunk({ tool_calls: [{ index: 1, function: { arguments: 'rd": "ink"}' } }] }),
          chunk({}, "tool_calls"),
          DONE,
        ),
      ],
      expect: {
        shown: "Let me see.",
        calls: [{ id: "toolu_01", name: "lookup", args: { word: "ink" } }],
        finishReason: "tool_calls",
      },
    },
    {
      title: "a call without arguments has none at all",
      source: "vercel/ai: packages/anthropic/src/__fixtures__/anthropic-tool-no-args.chunks.txt",
      by: "loop",
      answers: [
        stream(chunk({ tool_calls: [call("toolu_02", "")] }), chunk({}, "tool_calls"), DONE),
        stream(chunk({ content: "Nothing found." }, "stop"), usageChunk(4, 4), DONE),
      ],
      expect: {
        shown: "Nothing found.",
        calls: [{ id: "toolu_02", name: "lookup", args: {} }],
        sent: [{}, { has: { messages: [{}, { tool_calls: [{ function: { arguments: "{}" } }] }, {}] } }],
      },
    },
    {
      title: "a prompt beyond the context is told in words of its own",
      source: ERRORS,
      answers: [failing(400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum")],
      expect: { error: { code: "model_context_exceeded" } },
    },
    {
      title: "input and max_tokens together exceed the context",
      source: "https://github.com/continuedev/continue/issues/8454",
      answers: [
        failing(
          400,
          "invalid_request_error",
          "input length and `max_tokens` exceed context limit: 143653 + 64000 > 200000, decrease input length or `max_tokens` and try again",
        ),
      ],
      expect: { error: { code: "model_context_exceeded" } },
    },
    {
      title: "a balance that is too low is a quota although its status is 400",
      source: ERRORS,
      answers: [failing(400, "invalid_request_error", "Your credit balance is too low to access the Anthropic API.")],
      expect: { error: { code: "model_quota_exceeded" } },
    },
    {
      title: "a status of its own says that the service is overloaded",
      source: ERRORS,
      answers: [failing(529, "overloaded_error", "Overloaded")],
      expect: { error: { code: "model_unavailable" } },
    },
    {
      title: "an overload within the stream comes as an event of its own",
      source: "https://github.com/farzaa/clicky/issues/132",
      answers: [
        stream(
          chunk({ role: "assistant", content: "Par" }),
          'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n',
        ),
      ],
      expect: { shown: "Par", error: { code: "model_unavailable" } },
    },
    {
      title: "a rate limit has the seconds to wait in a header",
      source: "https://docs.anthropic.com/en/api/rate-limits",
      answers: [failing(429, "rate_limit_error", "This request would exceed your rate limit.", { "retry-after": "8" })],
      expect: { error: { code: "model_rate_limited", retryAfterMs: 8_000 } },
    },
    {
      title: "a refusal by the model's safety stands in the finish alone",
      source: "vercel/ai: packages/anthropic/src/__fixtures__/anthropic-refusal.chunks.txt",
      answers: [stream(chunk({ role: "assistant", content: "" }), chunk({}, "refusal"), usageChunk(30, 1), DONE)],
      expect: { finishReason: "refusal", usage: [30, 1, 31] },
    },
  ],
};
