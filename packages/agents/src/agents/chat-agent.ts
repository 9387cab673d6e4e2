/** `chat_basic`: sends the system prompt, the session's latest messages and the message; streams the model's answer. */
import { z } from "zod";
import { type AgentContext, type AgentInput, type AgentRun, BaseAgent } from "../agent/agent.ts";
import { answer } from "../answer/answer.ts";
import { firstMessages } from "../answer/first-messages.ts";
import { modelConfigFields, modelOptions } from "./model-config.ts";

const ChatConfigSchema = z.strictObject(modelConfigFields);

export class ChatAgent extends BaseAgent<typeof ChatConfigSchema> {
  static readonly description = "Answers in conversation with one streamed answer of the model.";
  static readonly config = ChatConfigSchema;
  static readonly clientTools = true;

  run(input: AgentInput, context: AgentContext<z.output<typeof ChatConfigSchema>>): AgentRun {
    const { config } = context;
    return answer(async () => {
      const messages = await firstMessages(input, { ...config, withCalls: context.clientTools.length > 0 });
      return { messages, options: modelOptions(config), responseSchema: config.response_schema };
    }, context);
  }
}
