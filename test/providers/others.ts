/** What any server may write that speaks the protocol loosely. */
import { ODD_SHAPES } from "./odd-shapes.ts";
import type { Provider } from "./provider-case.ts";
import { call, choices, chunk, DONE, FINE, failure, stream, usage, usageChunk, whole } from "./wire.ts";

const SSE = "https://html.spec.whatwg.org/multipage/server-sent-events.html";
const HTTP = "https://www.rfc-editor.org/rfc/rfc9110";
const CHUNKS = "https://platform.openai.com/docs/api-reference/chat-streaming";
const MESSAGES = "https://platform.openai.com/docs/api-reference/chat/create";

const odd = (counts: object) => choices([], { usage: counts });

export const others: Provider = {
  name: "Other servers",
  settings: "`OPENAI_BASE_URL=https://HOST/v1`, `LLM_MAX_TOKENS_FIELD`, `LLM_STREAM_USAGE`, `LLM_SYSTEM_ROLE`",
  cases: [
    {
      title: "lines end in any way, and other fields stand between them",
      source: SSE,
      answers: [
        stream(
          "\uFEFFretry: 3000\r\nid: 1\r\nevent: message\r\n",
          `data: ${JSON.stringify(chunk({ content: "Fi" }))}\r\n\r\n`,
          `: comment\rdata:${JSON.stringify(chunk({ content: "ne" }))}\r\r`,
          `event: completion\ndata: ${JSON.stringify(chunk({ content: "." }, "stop"))}\n\n`,
          "data:[DONE]\n\n",
        ),
      ],
      expect: { shown: "Fine.", finishReason: "stop" },
    },
    {
      title: "one chunk stands on several lines",
      source: SSE,
      answers: [
        stream(
          `data: ${JSON.stringify(chunk({ content: "Fine." }, "stop"), null, 1).replaceAll("\n", "\ndata: ")}\n\n`,
          DONE,
        ),
      ],
      expect: { shown: "Fine.", finishReason: "stop" },
    },
    {
      title: "keep-alives are chunks of nothing",
      source: CHUNKS,
      answers: [
        stream(
          "data: \n\n",
          "data: {}\n\n",
          "data: null\n\n",
          "data: []\n\n",
          choices([]),
          chunk({ content: "Fine." }, "stop"),
          DONE,
        ),
      ],
      expect: { shown: "Fine.", finishReason: "stop" },
    },
    {
      title: "counts that are no numbers of tokens are not believed",
      source: CHUNKS,
      answers: [
        stream(
          chunk({ content: "Fine." }, "stop"),
          odd({ prompt_tokens: -3, completion_tokens: 2.5, total_tokens: 1e18 }),
          DONE,
        ),
      ],
      expect: { shown: "Fine.", usage: "estimated" },
    },
    {
      title: "counts in text are counts",
      source: CHUNKS,
      answers: [
        stream(
          chunk({ content: "Fine." }, "stop"),
          odd({ prompt_tokens: "8", completion_tokens: "2", total_tokens: "10" }),
          DONE,
        ),
      ],
      expect: { shown: "Fine.", usage: [8, 2, 10] },
    },
    {
      title: "a message stands in place of each delta",
      source: CHUNKS,
      answers: [
        stream(
          choices([{ index: 0, message: { role: "assistant", content: "Fi" } }]),
          choices([{ index: 0, message: { role: "assistant", content: "ne." }, finish_reason: "stop" }]),
          DONE,
        ),
      ],
      expect: { shown: "Fine.", finishReason: "stop" },
    },
    {
      title: "a new id comes with every piece of one call",
      source: CHUNKS,
      request: { tools: true },
      answers: [
        stream(
          chunk({ tool_calls: [call("id-1", '{"wor')] }),
          chunk({ tool_calls: [{ index: 0, id: "id-2", function: { arguments: 'd":"in' } }] }),
          chunk({ tool_calls: [{ index: 0, id: "id-3", function: { arguments: 'k"}' } }] }),
          chunk({}, "tool_calls"),
          DONE,
        ),
      ],
      expect: { calls: [{ name: "lookup", args: { word: "ink" } }] },
    },
    {
      title: "two calls have one id, and each its result",
      source: CHUNKS,
      by: "loop",
      answers: [
        stream(
          chunk({ tool_calls: [call("same", '{"word":"ink"}')] }),
          chunk({ tool_calls: [call("same", '{"word":"pen"}', { index: 1 })] }),
          chunk({}, "tool_calls"),
          DONE,
        ),
        FINE,
      ],
      expect: {
        shown: "All fine.",
        calls: [
          { name: "lookup", args: { word: "ink" } },
          { name: "lookup", args: { word: "pen" } },
        ],
        sent: [{}, { has: { messages: [{}, {}, { content: "found ink" }, { content: "found pen" }] } }],
      },
    },
    {
      title: "an id comes only with the last piece",
      source: CHUNKS,
      request: { tools: true },
      answers: [
        stream(
          chunk({ tool_calls: [{ index: 0, function: { name: "lookup", arguments: '{"word":' } }] }),
          chunk({ tool_calls: [{ index: 0, function: { arguments: '"ink"}' } }] }),
          chunk({ tool_calls: [{ index: 0, id: "late-1", type: "function" }] }),
          chunk({}, "tool_calls"),
          DONE,
        ),
      ],
      expect: { calls: [{ id: "late-1", name: "lookup", args: { word: "ink" } }] },
    },
    {
      title: "other models' words for the end mean what OpenAI's do",
      source: "https://docs.anthropic.com/en/api/handling-stop-reasons",
      answers: [stream(chunk({ content: "And so" }), chunk({}, "max_tokens"), usageChunk(4, 2), DONE)],
      expect: { shown: "And so", finishReason: "length" },
    },
    {
      title: "a whole answer is a refusal",
      source: MESSAGES,
      answers: [whole({ role: "assistant", content: null, refusal: "I must not." }, "stop", usage(4, 4))],
      expect: { shown: "I must not.", finishReason: "refusal", usage: [4, 4, 8] },
    },
    {
      title: "a page with status 200 is no answer",
      source: HTTP,
      answers: [{ body: "<html><body>Please log in</body></html>" }],
      expect: { error: { code: "model_stream_broken" } },
    },
    {
      title: "an empty body is no answer",
      source: HTTP,
      answers: [{ body: "" }],
      expect: { error: { code: "model_stream_broken" } },
    },
    {
      title: "an error is plain text",
      source: HTTP,
      answers: [failure(400, "unsupported value for n")],
      expect: { error: { code: "model_rejected", says: "unsupported value for n" } },
    },
    {
      title: "a date says when to come again",
      source: HTTP,
      answers: [failure(503, "", { "retry-after": "Fri, 31 Dec 1999 23:59:59 GMT" })],
      expect: { error: { code: "model_unavailable" } },
    },
    {
      title: "a conversation that begins with the assistant and has halves of characters becomes one that is taken",
      source: MESSAGES,
      request: {
        messages: [
          { role: "system", content: "Be short \ud83d." },
          { role: "assistant", content: "Welcome." },
          { role: "user", content: "Hi \udc4d" },
        ],
      },
      answers: [FINE],
      expect: {
        shown: "All fine.",
        sent: [
          {
            has: {
              messages: [
                { role: "system", content: "Be short \ufffd." },
                { role: "user" },
                { role: "assistant", content: "Welcome." },
                { role: "user", content: "Hi \ufffd" },
              ],
            },
          },
        ],
      },
    },
    {
      title: "a limit of tokens that is too high is not asked for by another name",
      source: MESSAGES,
      request: { options: { maxTokens: 999_999 } },
      answers: [
        failure(400, {
          error: { message: "max_tokens is too large: 999999. It must be at most 16384.", param: "max_tokens" },
        }),
      ],
      expect: { error: { code: "model_rejected", says: "max_tokens is too large" } },
    },
    {
      title: "a chunk that is no JSON breaks the answer off",
      source: CHUNKS,
      answers: [stream(chunk({ content: "Fi" }), 'data: {"choices":[{"index":0,\n\n', DONE)],
      expect: { shown: "Fi", error: { code: "model_stream_broken" } },
    },
    ...ODD_SHAPES,
  ],
};
