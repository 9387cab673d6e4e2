/** `chat_basic`: a system prompt, the session's latest turns, the message, one streamed answer of the model. */
import { z } from "zod";
import { type AgentContext, type AgentInput, type AgentRun, BaseAgent } from "../agent/agent.ts";
import { answer } from "../answer/answer.ts";
import { firstMessages, modelConfigFields, modelOptions } from "./model-config.ts";

const ChatConfigSchema = z.strictObject(modelConfigFields);

export class ChatAgent extends BaseAgent<typeof ChatConfigSchema> {
  static readonly description = "Answers in conversation with one streamed answer of the model.";
  static readonly config = ChatConfigSchema;

  async *run(input: AgentInput, context: AgentContext<z.output<typeof ChatConfigSchema>>): AgentRun {
    const { config } = context;
    const messages = await firstMessages(input, config);
    const request = { messages, options: modelOptions(config), responseSchema: config.response_schema };
    return yield* answer(request, context);
  }
}
