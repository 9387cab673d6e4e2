/** Perplexity. */
import type { Provider } from "./provider-case.ts";
import { choices, DONE, FINE, failure, stream, usage } from "./wire.ts";

const SOURCES = {
  citations: ["https://example.com/ink"],
  search_results: [{ title: "Ink", url: "https://example.com/ink" }],
};

/** Beside the new piece each event has the message so far. */
const piece = (content: string, sofar: string, tokens: number, finish_reason: string | null = null) => ({
  ...choices(
    [
      {
        index: 0,
        delta: { role: "assistant", content },
        message: { role: "assistant", content: sofar },
        finish_reason,
      },
    ],
    { ...SOURCES, ...usage(10, tokens) },
  ),
  object: finish_reason === null ? "chat.completion.chunk" : "chat.completion.done",
});

export const perplexity: Provider = {
  name: "Perplexity",
  settings: "`OPENAI_BASE_URL=https://api.perplexity.ai`",
  cases: [
    {
      title: "each event has the message so far beside its piece, and the usage so far",
      source: "Portkey-AI/gateway: src/providers/perplexity-ai/chatComplete.ts",
      answers: [
        stream(
          piece("Ink", "Ink", 1),
          piece(" is wet", "Ink is wet", 3),
          piece(".", "Ink is wet.", 4),
          piece("", "Ink is wet.", 4, "stop"),
        ),
      ],
      expect: { shown: "Ink is wet.", finishReason: "stop", usage: [10, 4, 14] },
    },
    {
      title: "the last event has another type, and no [DONE] follows",
      source: "vercel/ai: packages/perplexity/src/__fixtures__/perplexity-citations.chunks.txt",
      answers: [
        stream(
          choices([{ index: 0, delta: { role: "assistant", content: "Old." } }], { ...SOURCES, ...usage(10, 1) }),
          {
            ...choices(
              [{ index: 0, delta: { role: "assistant", content: "" }, finish_reason: "stop" }],
              usage(10, 336),
            ),
            object: "chat.completion.done",
          },
        ),
      ],
      expect: { shown: "Old.", finishReason: "stop", usage: [10, 336, 346] },
    },
    {
      title: "a reasoning model thinks in tags",
      source: "https://docs.perplexity.ai/models/models/sonar-reasoning",
      answers: [
        stream(
          piece("<think>", "<think>", 1),
          piece("Old or new? ", "<think>Old or new? ", 2),
          piece("</think>", "<think>Old or new? </think>", 3),
          piece("\n\nOld.", "<think>Old or new? </think>\n\nOld.", 4, "stop"),
          DONE,
        ),
      ],
      expect: { shown: "Old.", thoughts: "Old or new? ", finishReason: "stop" },
    },
    {
      title: "a wrong key is told by a page",
      source: "https://docs.perplexity.ai/guides/perplexity-sdk-error-handling",
      answers: [failure(401, "<html><head><title>401 Authorization Required</title></head></html>")],
      expect: { error: { code: "model_auth_failed" } },
    },
    {
      title: "after a turn that said nothing the roles still alternate",
      source: "https://docs.perplexity.ai/api-reference/chat-completions-post",
      request: {
        messages: [
          { role: "user", content: "What is ink?" },
          { role: "assistant", content: "" },
          { role: "user", content: "Well?" },
        ],
      },
      answers: [FINE],
      expect: {
        shown: "All fine.",
        sent: [{ has: { messages: [{ role: "user", content: "What is ink?\n\nWell?" }] } }],
      },
    },
    {
      title: "a message order that it refuses is told",
      source: "https://docs.perplexity.ai/api-reference/chat-completions-post",
      answers: [
        failure(400, {
          error: {
            message: "After the (optional) system message(s), user and assistant roles should be alternating.",
            type: "invalid_message",
            code: 400,
          },
        }),
      ],
      expect: { error: { code: "model_rejected", says: "roles should be alternating" } },
    },
  ],
};
