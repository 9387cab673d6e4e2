/** `tool_basic`: the model answers with the help of tools, which it may call in as many turns as the budget allows. */
import { z } from "zod";
import { type AgentContext, type AgentInput, type AgentRun, BaseAgent } from "../agent/agent.ts";
import { answer } from "../answer/answer.ts";
import { firstMessages } from "../answer/first-messages.ts";
import { approveConfigField, modelConfigFields, modelOptions } from "./model-config.ts";

const ToolConfigSchema = z.strictObject({
  ...modelConfigFields,
  tools: z
    .array(z.string().min(1).max(65))
    .max(64)
    .default(["calculator", "current_time"])
    .describe("Names of the tools that the model may call; `x*` stands for all that begin with `x`."),
  ...approveConfigField,
  collection: z
    .string()
    .min(1)
    .max(63)
    .optional()
    .describe("The collection that `search_documents` looks into; the tool comes with it."),
});

export class ToolAgent extends BaseAgent<typeof ToolConfigSchema> {
  static readonly description = "Answers with the help of tools, which the model calls as often as it needs.";
  static readonly config = ToolConfigSchema;
  static readonly tools = ["*"];
  static readonly clientTools = true;

  run(input: AgentInput, context: AgentContext<z.output<typeof ToolConfigSchema>>): AgentRun {
    const { config } = context;
    return answer(async () => {
      const tools = context.tools.select([
        ...config.tools,
        ...(config.collection === undefined ? [] : ["search_documents"]),
      ]);
      const withCalls = tools.length > 0 || context.clientTools.length > 0;
      const messages = await firstMessages(input, { ...config, withCalls });
      return { messages, tools, options: modelOptions(config), responseSchema: config.response_schema };
    }, context);
  }
}
