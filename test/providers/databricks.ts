/** Databricks. */
import type { Provider } from "./provider-case.ts";
import { call, chunk, DONE, FINE, failure, stream, usage } from "./wire.ts";

const summary = (text: string, signature: string) => ({ type: "summary_text", text, signature });

export const databricks: Provider = {
  name: "Databricks",
  settings: "`OPENAI_BASE_URL=https://WORKSPACE/serving-endpoints`",
  cases: [
    {
      title: "content is a list of reasoning with a summary and text",
      source: "https://docs.databricks.com/aws/en/machine-learning/model-serving/query-reason-models",
      answers: [
        stream(
          chunk({
            role: "assistant",
            content: [{ type: "reasoning", summary: [{ type: "summary_text", text: "Small sum.", signature: "" }] }],
          }),
          chunk({ role: "assistant", content: [{ type: "text", text: "Fo" }] }),
          chunk({ role: "assistant", content: "ur." }, "stop", usage(9, 12)),
          DONE,
        ),
      ],
      expect: { shown: "Four.", thoughts: "Small sum.", finishReason: "stop", usage: [9, 12, 21] },
    },
    {
      title: "a list of content with signed reasoning goes back as a list, also when its text came as a string",
      source: "https://docs.databricks.com/aws/en/machine-learning/model-serving/query-reason-models",
      by: "loop",
      answers: [
        stream(
          chunk({ role: "assistant", content: [{ type: "reasoning", summary: [summary("Look", "")] }] }),
          chunk({ role: "assistant", content: [{ type: "reasoning", summary: [summary(" it up.", "")] }] }),
          chunk({ role: "assistant", content: [{ type: "reasoning", summary: [summary("", "EqoBCkgI+/==")] }] }),
          chunk({ content: "One " }),
          chunk({ content: "moment." }),
          chunk({ tool_calls: [call("toolu_1", '{"word":"ink"}')] }, "tool_calls"),
          DONE,
        ),
        FINE,
      ],
      expect: {
        shown: "One moment.\n\nAll fine.",
        thoughts: "Look it up.",
        calls: [{ id: "toolu_1", name: "lookup", args: { word: "ink" } }],
        sent: [
          {},
          {
            has: {
              messages: [
                {},
                {
                  content: [
                    { type: "reasoning", summary: [summary("Look it up.", "EqoBCkgI+/==")] },
                    { type: "text", text: "One moment." },
                  ],
                },
                {},
              ],
            },
          },
        ],
      },
    },
    {
      title: "an error holds the error of the model as a text",
      source: "https://github.com/BerriAI/litellm/issues/36931",
      answers: [
        failure(400, {
          error_code: "BAD_REQUEST",
          message: '{"message":"messages.1.thinking_blocks: Extra inputs are not permitted"}',
        }),
      ],
      expect: { error: { code: "model_rejected", says: "Extra inputs are not permitted" } },
    },
  ],
};
