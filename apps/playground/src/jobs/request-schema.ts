/** What a request of a job may say beside its agent and config, as a schema with texts for people. */
import { texts } from "./texts.ts";

const count = (description: string, minimum = 1) => ({ type: "integer", minimum, description });

export const requestSchema = () => ({
  type: "object",
  properties: {
    task: { type: "string", maxLength: 65_536, title: texts.task, description: texts.taskHint },
    input: { title: texts.input, description: texts.inputHint },
    limits: {
      type: "object",
      title: texts.limits,
      properties: {
        max_steps: count(texts.maxSteps),
        max_tool_calls: count(texts.maxToolCalls, 0),
        max_output_tokens: count(texts.maxOutputTokens),
        deadline_ms: count(texts.deadline),
      },
    },
    metadata: { type: "object", title: texts.metadata },
  },
});
