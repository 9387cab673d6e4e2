/** The body of a request for chat completions. */
import type OpenAI from "openai";
import type { ModelMessage, ModelRequest } from "../model.ts";

export type OpenAiModelOptions = {
  readonly defaultModel: string;
  /** How a request's `responseSchema` is sent to the provider. */
  readonly responseFormat: "none" | "json_object" | "json_schema";
};

export function toCompletionRequest(request: ModelRequest, { defaultModel, responseFormat }: OpenAiModelOptions) {
  const { model, messages, temperature, topP, maxTokens, tools = [], responseSchema } = request;
  return {
    model: model ?? defaultModel,
    messages: messages.map(toProviderMessage),
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { top_p: topP }),
    ...(maxTokens === undefined ? {} : { max_tokens: maxTokens }),
    ...(tools.length === 0
      ? {}
      : { tools: tools.map((tool) => ({ type: "function" as const, function: { ...tool } })) }),
    ...(responseSchema === undefined ? {} : toResponseFormat(responseSchema, responseFormat)),
    stream: true as const,
    stream_options: { include_usage: true },
  };
}

function toResponseFormat(schema: Readonly<Record<string, unknown>>, format: OpenAiModelOptions["responseFormat"]) {
  if (format === "none") return {};
  if (format === "json_object") return { response_format: { type: "json_object" as const } };
  return {
    response_format: { type: "json_schema" as const, json_schema: { name: "response", schema: { ...schema } } },
  };
}

function toProviderMessage(message: ModelMessage): OpenAI.ChatCompletionMessageParam {
  if (message.role === "tool") return { role: "tool", tool_call_id: message.callId, content: message.content };
  if (message.role !== "assistant" || !message.toolCalls?.length) {
    return { role: message.role, content: message.content };
  }
  const tool_calls = message.toolCalls.map(({ id, name, arguments: args }) => ({
    id,
    type: "function" as const,
    function: { name, arguments: args },
  }));
  return { role: "assistant", content: message.content || null, tool_calls };
}
