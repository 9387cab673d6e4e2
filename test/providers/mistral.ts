/** Mistral AI. */
import type { Provider } from "./provider-case.ts";
import { choices, chunk, DONE, FINE, failure, stream, usage } from "./wire.ts";

const thinking = (text: string) => ({ type: "thinking", thinking: [{ type: "text", text }] });

export const mistral: Provider = {
  name: "Mistral",
  settings: "`OPENAI_BASE_URL=https://api.mistral.ai/v1`",
  cases: [
    {
      title: "content is a list of thinking and text",
      source: "vercel/ai: packages/mistral/src/__fixtures__/mistral-reasoning.chunks.txt",
      answers: [
        stream(
          chunk({ role: "assistant", content: [thinking("The sum ")] }),
          chunk({ content: [thinking("is small.")] }),
          chunk({ content: [{ type: "text", text: "Five" }] }),
          chunk({ content: "." }),
          chunk({ content: "" }, "stop", usage(10, 20)),
          DONE,
        ),
      ],
      expect: { shown: "Five.", thoughts: "The sum is small.", finishReason: "stop", usage: [10, 20, 30] },
    },
    {
      title: "references between the texts are left out",
      source: "https://docs.mistral.ai/capabilities/citations",
      answers: [
        stream(
          chunk({ role: "assistant", content: "" }),
          chunk({
            content: [
              { type: "text", text: "Ink is old" },
              { type: "reference", reference_ids: [1] },
            ],
          }),
          chunk({ content: [{ type: "text", text: "." }] }, "stop"),
          DONE,
        ),
      ],
      expect: { shown: "Ink is old.", finishReason: "stop" },
    },
    {
      title: "a call of nine characters without index and type goes back as it came, and no reasoning with it",
      source: "vercel/ai: packages/mistral/src/__fixtures__/mistral-tool-call.chunks.txt",
      by: "loop",
      request: { options: { model: "magistral-medium-2507" } },
      answers: [
        stream(
          chunk({ role: "assistant", content: [thinking("Look it up.")] }),
          chunk(
            {
              content: null,
              tool_calls: [{ id: "gSIMJiOkT", function: { name: "lookup", arguments: '{"word": "ink"}' } }],
            },
            "tool_calls",
            usage(124, 22),
          ),
          DONE,
        ),
        FINE,
      ],
      expect: {
        shown: "All fine.",
        thoughts: "Look it up.",
        calls: [{ id: "gSIMJiOkT", name: "lookup", args: { word: "ink" } }],
        sent: [
          {},
          {
            has: {
              messages: [{}, { tool_calls: [{ id: "gSIMJiOkT", type: "function" }] }, { tool_call_id: "gSIMJiOkT" }],
            },
            lacks: ["messages[1].reasoning_content", "messages[1].reasoning"],
          },
        ],
      },
    },
    {
      title: "later pieces of a call have an empty name and no id",
      source: "vercel/ai: packages/mistral/src/__fixtures__/mistral-incremental-tool-call.chunks.txt",
      request: { tools: true },
      answers: [
        stream(
          chunk({
            tool_calls: [
              { id: "chatcmpl-tool-9f", type: "function", function: { name: "lookup", arguments: "" }, index: 0 },
            ],
            index: 0,
            content: "",
          }),
          chunk({
            tool_calls: [{ type: "function", function: { name: "", arguments: '{"word": "ink"}' }, index: 0 }],
            content: "",
          }),
          chunk({ content: "" }, "tool_calls"),
          DONE,
        ),
      ],
      expect: { calls: [{ id: "chatcmpl-tool-9f", name: "lookup", args: { word: "ink" } }] },
    },
    {
      title: "stream_options is refused with status 422, and left out from then on",
      source: "https://github.com/avante-corp/avante.nvim/issues/2347",
      times: 2,
      answers: [
        failure(422, {
          object: "error",
          message: {
            detail: [
              {
                type: "extra_forbidden",
                loc: ["body", "stream_options", "include_usage"],
                msg: "Extra inputs are not permitted",
                input: true,
              },
            ],
          },
          type: "invalid_request_error",
          param: null,
          code: null,
        }),
        FINE,
        FINE,
      ],
      expect: { shown: "All fine.", sent: [{}, { lacks: ["stream_options"] }, { lacks: ["stream_options"] }] },
    },
    {
      title: "a refused field is told from a list of details",
      source: "https://github.com/Gitlawb/openclaude/issues/739",
      answers: [
        failure(422, {
          detail: [
            { type: "extra_forbidden", loc: ["body", "tools"], msg: "Extra inputs are not permitted", input: [] },
          ],
        }),
      ],
      expect: { error: { code: "model_rejected", says: "Extra inputs are not permitted" } },
    },
    {
      title: "a wrong key is told in a form without error",
      source: "https://docs.mistral.ai/api",
      answers: [failure(401, { detail: "Unauthorized" })],
      expect: { error: { code: "model_auth_failed" } },
    },
    {
      title: "a rate limit is told at the top of the body",
      source: "https://github.com/cline/cline/issues/9085",
      answers: [
        failure(429, {
          object: "error",
          message: "Rate limit exceeded",
          type: "rate_limited",
          param: null,
          code: "1300",
          raw_status_code: 429,
        }),
      ],
      expect: { error: { code: "model_rate_limited" } },
    },
    {
      title: "a prompt beyond the context is told in words of its own",
      source: "https://docs.mistral.ai/api",
      answers: [
        failure(400, {
          object: "error",
          message:
            "Prompt contains 40001 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
          type: "invalid_request_prompt",
          param: null,
          code: "3051",
        }),
      ],
      expect: { error: { code: "model_context_exceeded" } },
    },
    {
      title: "an answer that filled the model's own length was cut by length",
      source: "https://docs.mistral.ai/api",
      answers: [stream(chunk({ content: "And so on" }), chunk({ content: "" }, "model_length"), DONE)],
      expect: { shown: "And so on", finishReason: "length" },
    },
    {
      title: "a finish of error is a failure",
      source: "https://docs.mistral.ai/api",
      answers: [stream(chunk({ content: "And" }), choices([{ index: 0, delta: {}, finish_reason: "error" }]), DONE)],
      expect: { shown: "And", error: { code: "model_unavailable" } },
    },
    {
      title: "two messages of the user in a row are sent as one",
      source: "https://github.com/zed-industries/zed/issues/37021",
      request: {
        messages: [
          { role: "system", content: "Be short." },
          { role: "user", content: "What is ink?" },
          { role: "user", content: "Well?" },
        ],
      },
      answers: [FINE],
      expect: {
        shown: "All fine.",
        sent: [
          {
            has: { messages: [{ role: "system" }, { role: "user", content: "What is ink?\n\nWell?" }] },
          },
        ],
      },
    },
  ],
};
