/** Together, Fireworks, Cerebras: hosts of open models. */
import type { Provider } from "./provider-case.ts";
import { call, choices, chunk, DONE, failure, stream, usage } from "./wire.ts";

export const together: Provider = {
  name: "Together",
  settings: "`OPENAI_BASE_URL=https://api.together.xyz/v1`",
  cases: [
    {
      title: "a choice repeats its text beside the delta, and ends with a token's name",
      source: "https://docs.together.ai/reference/chat-completions-1",
      answers: [
        stream(
          choices([
            {
              index: 0,
              text: "Yes",
              logprobs: null,
              finish_reason: null,
              delta: { token_id: 9, role: "assistant", content: "Yes" },
            },
          ]),
          choices([
            { index: 0, text: ".", finish_reason: null, delta: { token_id: 13, role: "assistant", content: "." } },
          ]),
          choices(
            [{ index: 0, text: "", finish_reason: "eos", delta: { token_id: 2, role: "assistant", content: "" } }],
            usage(12, 3),
          ),
          DONE,
        ),
      ],
      expect: { shown: "Yes.", finishReason: "stop", usage: [12, 3, 15] },
    },
    {
      title: "inputs beyond the context are told in the words of TGI",
      source: "https://docs.together.ai/docs/error-codes",
      answers: [
        failure(422, {
          id: "8f",
          error: {
            message:
              "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 8193. Given: 9000 `inputs` tokens",
            type: "invalid_request_error",
            param: "max_tokens",
            code: null,
          },
        }),
      ],
      expect: { error: { code: "model_context_exceeded" } },
    },
    {
      title: "an error is a text",
      source: "Portkey-AI/gateway: src/providers/together-ai/chatComplete.ts",
      answers: [failure(400, { model: "m", job_id: "1", request_id: "2", error: "The model is not chat-enabled" })],
      expect: { error: { code: "model_rejected", says: "not chat-enabled" } },
    },
    {
      title: "an overloaded engine is tried again",
      source: "https://docs.together.ai/docs/error-codes",
      answers: [failure(503, { error: { message: "The engine is overloaded.", type: "server_error" } })],
      expect: { error: { code: "model_unavailable" } },
    },
  ],
};

export const fireworks: Provider = {
  name: "Fireworks",
  settings: "`OPENAI_BASE_URL=https://api.fireworks.ai/inference/v1`",
  cases: [
    {
      title: "a suspended account is a quota although its status is 412",
      source: "https://github.com/pollinations/pollinations/issues/12136",
      answers: [
        failure(412, {
          error: {
            message: "Account acme is suspended, possibly due to reaching the monthly spending limit.",
            param: null,
            code: "PRECONDITION_FAILED",
            type: "error",
          },
          request_id: "11",
        }),
      ],
      expect: { error: { code: "model_quota_exceeded" } },
    },
    {
      title: "a gateway's fault has a form of its own",
      source: "Portkey-AI/gateway: src/providers/fireworks-ai/chatComplete.ts",
      answers: [
        failure(401, { fault: { faultstring: "Invalid ApiKey", detail: { errorcode: "oauth.v2.InvalidApiKey" } } }),
      ],
      expect: { error: { code: "model_auth_failed" } },
    },
    {
      title: "a prompt beyond the context is told in words of its own",
      source: "https://docs.fireworks.ai/guides/inference-error-codes",
      answers: [
        failure(400, {
          error: {
            object: "error",
            type: "invalid_request_error",
            code: "invalid_request_error",
            message: "The prompt is too long: 5000, model maximum context length: 4095",
          },
        }),
      ],
      expect: { error: { code: "model_context_exceeded" } },
    },
    {
      title: "usage comes with the finish, and reasoning in tags before the answer",
      source: "https://docs.fireworks.ai/guides/reasoning",
      answers: [
        stream(
          chunk({ role: "assistant" }),
          chunk({ content: "<think>\nA short" }),
          chunk({ content: " word.\n</think>\n\nInk" }),
          chunk({ content: "." }, "stop", usage(8, 9)),
          DONE,
        ),
      ],
      expect: { shown: "Ink.", thoughts: "\nA short word.\n", finishReason: "stop", usage: [8, 9, 17] },
    },
  ],
};

export const cerebras: Provider = {
  name: "Cerebras",
  settings: "`OPENAI_BASE_URL=https://api.cerebras.ai/v1`",
  cases: [
    {
      title: "choices have no finish_reason before the end, and times beside usage",
      source: "vercel/ai: packages/cerebras/src/fixtures/cererebras-structured-output-tools.1.chunks.txt",
      request: { tools: true },
      answers: [
        stream(
          choices([{ delta: { role: "assistant" }, index: 0 }]),
          choices([{ delta: { reasoning: "Look." }, index: 0 }]),
          choices([{ delta: { tool_calls: [call("e0ecf32e0", '{"word":"ink"}')] }, index: 0 }]),
          choices([{ delta: {}, finish_reason: "tool_calls", index: 0 }], {
            ...usage(433, 122),
            time_info: { queue_time: 0.003 },
          }),
          DONE,
        ),
      ],
      expect: {
        thoughts: "Look.",
        calls: [{ id: "e0ecf32e0", name: "lookup", args: { word: "ink" } }],
        finishReason: "tool_calls",
        usage: [433, 122, 555],
      },
    },
    {
      title: "a conversation beyond the context is told at the top of the body",
      source: "https://github.com/cline/cline/issues/5140",
      answers: [
        failure(400, {
          message:
            "Please reduce the length of the messages or completion. Current length is 42328 while limit is 40000",
          type: "invalid_request_error",
          param: "messages",
          code: "context_length_exceeded",
        }),
      ],
      expect: { error: { code: "model_context_exceeded" } },
    },
    {
      title: "a quota of requests in a minute is a rate limit",
      source: "https://inference-docs.cerebras.ai/support/error",
      answers: [
        failure(429, {
          message: "Requests per minute limit exceeded - too many requests sent.",
          type: "too_many_requests_error",
          param: "quota",
          code: "request_quota_exceeded",
        }),
      ],
      expect: { error: { code: "model_rate_limited" } },
    },
  ],
};
