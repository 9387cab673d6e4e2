/** `chat_basic`: a system prompt, the session's latest turns, the message, one streamed answer of the model. */
import { z } from "zod";
import { type AgentContext, type AgentInput, type AgentRun, BaseAgent } from "../agent.ts";
import { text, thought } from "../events.ts";
import type { ModelMessage } from "../model/model.ts";
import { registerAgent } from "../registry.ts";

const ChatConfigSchema = z.strictObject({
  system_prompt: z.string().max(32_000).optional().describe("What the model is told before the conversation."),
  model: z.string().min(1).max(200).optional().describe("The provider's name of the model; default: LLM_MODEL."),
  temperature: z.number().min(0).max(2).optional().describe("Default: the provider's."),
  top_p: z.number().min(0).max(1).optional().describe("Default: the provider's."),
  max_tokens: z.int().min(1).max(32_768).optional().describe("Most tokens of the answer. Default: the provider's."),
  history_tokens: z
    .int()
    .min(0)
    .max(1_000_000)
    .default(8_000)
    .describe("Most tokens of earlier messages that go to the model; the newest are kept."),
});

export class ChatAgent extends BaseAgent<typeof ChatConfigSchema> {
  static readonly description = "Answers in conversation with one streamed answer of the model.";
  static readonly config = ChatConfigSchema;

  async *run(input: AgentInput, { config, model, signal }: AgentContext<z.output<typeof ChatConfigSchema>>): AgentRun {
    const messages: ModelMessage[] = [];
    if (config.system_prompt !== undefined) messages.push({ role: "system", content: config.system_prompt });
    for (const { role, content } of await input.history.latest({ maxTokens: config.history_tokens })) {
      if (role === "user" || role === "assistant") messages.push({ role, content });
    }
    messages.push({ role: "user", content: withData(input) });

    const request = {
      messages,
      model: config.model,
      temperature: config.temperature,
      topP: config.top_p,
      maxTokens: config.max_tokens,
    };
    for await (const chunk of model.stream(request, signal)) {
      yield chunk.type === "text" ? text(chunk.content) : thought("reasoning", chunk.content);
    }
  }
}

/** The task of an execute job with its input below, as JSON. */
const withData = ({ text: task, data }: AgentInput): string =>
  data === undefined ? task : `${task}\n\n${JSON.stringify(data, null, 2)}`;

registerAgent("chat_basic")(ChatAgent);
