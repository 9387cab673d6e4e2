/** Amazon Bedrock behind gateways, Cloudflare, Vercel: what stands between the platform and a model. */
import type { Provider } from "./provider-case.ts";
import { choices, chunk, DONE, failure, stream, usage, usageChunk } from "./wire.ts";

export const bedrock: Provider = {
  name: "Amazon Bedrock (gateways)",
  settings: "`OPENAI_BASE_URL=https://GATEWAY/api/v1`",
  cases: [
    {
      title: "a prompt beyond the context is told as a detail",
      source: "https://github.com/aws-samples/bedrock-access-gateway/issues/41",
      answers: [
        failure(400, { detail: "An error occurred (ValidationException): Input is too long for requested model." }),
      ],
      expect: { error: { code: "model_context_exceeded" } },
    },
    {
      title: "a request for too many tokens is told as it is",
      source: "https://github.com/aws-samples/bedrock-access-gateway/issues/41",
      request: { options: { maxTokens: 4096 } },
      answers: [
        failure(400, {
          detail:
            "An error occurred (ValidationException): The maximum tokens you requested exceeds the model limit of 2048.",
        }),
      ],
      expect: { error: { code: "model_rejected", says: "exceeds the model limit of 2048" } },
    },
    {
      title: "reasoning is an object with a text",
      source: "https://github.com/envoyproxy/ai-gateway/pull/1222",
      answers: [
        stream(
          choices([{ index: 0, delta: { content: "", role: "assistant" } }]),
          choices([{ index: 0, delta: { role: "assistant", reasoning_content: { text: "I nee" } } }]),
          choices([{ index: 0, delta: { role: "assistant", reasoning_content: { text: "d it." } } }]),
          choices([{ index: 0, delta: { role: "assistant", content: "Wet." } }]),
          choices([{ index: 0, delta: {}, finish_reason: "stop" }]),
          DONE,
        ),
      ],
      expect: { shown: "Wet.", thoughts: "I need it.", finishReason: "stop" },
    },
    {
      title: "a throttled model may be asked again",
      source: "https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html",
      answers: [failure(429, { detail: "Too many requests, please wait before trying again." })],
      expect: { error: { code: "model_rate_limited" } },
    },
  ],
};

export const cloudflare: Provider = {
  name: "Cloudflare Workers AI",
  settings: "`OPENAI_BASE_URL=https://api.cloudflare.com/client/v4/accounts/ID/ai/v1`",
  cases: [
    {
      title: "errors come in a list",
      source: "https://github.com/anomalyco/opencode/issues/18552",
      answers: [
        failure(404, {
          result: null,
          success: false,
          errors: [
            {
              code: 7003,
              message: "Could not route to /client/v4/accounts/x, perhaps your object identifier is invalid?",
            },
          ],
          messages: [],
        }),
      ],
      expect: { error: { code: "model_rejected", says: "Could not route to" } },
    },
    {
      title: "an error of the model comes in a list too",
      source: "https://github.com/opencodeschool/opencode.school/issues/174",
      answers: [
        failure(400, {
          errors: [{ message: "AiError: Bad input: Type mismatch of '/messages/0/content'", code: 5006 }],
          success: false,
          result: {},
          messages: [],
        }),
      ],
      expect: { error: { code: "model_rejected", says: "Type mismatch of" } },
    },
    {
      title: "a number in the text is text, and arguments are an object",
      source: "https://developers.cloudflare.com/workers-ai/features/function-calling",
      request: { tools: true },
      answers: [
        stream(
          chunk({ role: "assistant", content: 4 }),
          chunk({ content: "2" }),
          chunk({ tool_calls: [{ index: 0, id: "w1", function: { name: "lookup", arguments: { word: "ink" } } }] }),
          chunk({}, "tool_calls"),
          usageChunk(7, 7),
          DONE,
        ),
      ],
      expect: { shown: "42", calls: [{ id: "w1", name: "lookup", args: { word: "ink" } }], usage: [7, 7, 14] },
    },
    {
      title: "a compressed stream is read",
      source: "https://developers.cloudflare.com/speed/optimization/content/compression/",
      answers: [
        { ...stream(chunk({ content: "Small" }), chunk({ content: "." }, "stop"), usageChunk(2, 2), DONE), gzip: true },
      ],
      expect: { shown: "Small.", finishReason: "stop", usage: [2, 2, 4] },
    },
    {
      title: "a compressed error is read",
      source: "https://developers.cloudflare.com/speed/optimization/content/compression/",
      answers: [{ ...failure(400, { errors: [{ message: "AiError: no such model", code: 5007 }] }), gzip: true }],
      expect: { error: { code: "model_rejected", says: "no such model" } },
    },
  ],
};

export const vercel: Provider = {
  name: "Vercel AI Gateway",
  settings: "`OPENAI_BASE_URL=https://ai-gateway.vercel.sh/v1`",
  cases: [
    {
      title: "metadata of the route stands in a delta of its own",
      source:
        "charmbracelet/fantasy: providertests/testdata/TestVercelCommon/gemini-2.5-flash/multi_tool_streaming.yaml",
      answers: [
        stream(
          chunk({ role: "assistant" }),
          chunk({ content: "Three" }),
          chunk(
            { provider_metadata: { gateway: { routing: { resolvedProvider: "vertex" } } } },
            "stop",
            usage(57, 10, 104),
          ),
          DONE,
        ),
      ],
      expect: { shown: "Three", finishReason: "stop", usage: [57, 10, 104] },
    },
    {
      title: "a connection that breaks off leaves no whole answer",
      source: "https://vercel.com/docs/ai-gateway",
      answers: [{ events: [chunk({ role: "assistant" }), chunk({ content: "Thr" })], breaksOff: true }],
      expect: { shown: "Thr", error: { code: "model_stream_broken" } },
    },
    {
      title: "a stream that ends without an end is no whole answer",
      source: "https://vercel.com/docs/ai-gateway",
      answers: [stream(chunk({ role: "assistant" }), chunk({ content: "Thr" }))],
      expect: { shown: "Thr", error: { code: "model_stream_broken" } },
    },
  ],
};
