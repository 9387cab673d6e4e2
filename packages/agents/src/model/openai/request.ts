/** The body of a request for chat completions. */
import type OpenAI from "openai";
import type { ModelMessage, ModelRequest } from "../model.ts";
import { mendConversation } from "./conversation.ts";
import type { RequestForm } from "./quirks.ts";
import { createToolNames, type ToolNames } from "./tool-names.ts";
import { providerSchema } from "./tool-schemas.ts";

type CompletionRequest = {
  readonly body: OpenAI.ChatCompletionCreateParamsStreaming;
  /** The names by which the model knows the tools. */
  readonly names: ToolNames;
};

export function toCompletionRequest(request: ModelRequest, model: string, form: RequestForm): CompletionRequest {
  const { temperature, topP, maxTokens, responseSchema } = request;
  // Of two tools with one name the platform calls the first; providers refuse both.
  const tools = [...Map.groupBy(request.tools ?? [], ({ name }) => name).values()].flatMap(([first]) => first ?? []);
  const names = createToolNames(tools.map(({ name }) => name));
  const messages = mendConversation(request.messages, form.callIds);
  const body = {
    model,
    messages: placeSystem(messages, form).map((message) => toProviderMessage(message, form, names)),
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { top_p: topP }),
    ...(maxTokens === undefined ? {} : { [form.maxTokensField]: maxTokens }),
    ...(tools.length === 0
      ? {}
      : {
          tools: tools.map(({ name, description, parameters }) => ({
            type: "function" as const,
            function: { name: names.toProvider(name), description, parameters: providerSchema(parameters) },
          })),
        }),
    ...(responseSchema === undefined ? {} : toResponseFormat(responseSchema, form.responseFormat)),
    stream: true as const,
    ...(form.streamUsage ? { stream_options: { include_usage: true } } : {}),
  };
  return { body, names };
}

function toResponseFormat(schema: Readonly<Record<string, unknown>>, format: RequestForm["responseFormat"]) {
  if (format === "none") return {};
  if (format === "json_object") return { response_format: { type: "json_object" as const } };
  return {
    response_format: { type: "json_schema" as const, json_schema: { name: "response", schema: { ...schema } } },
  };
}

/** For models without a role for it, the system prompt stands before the first user's words. */
function placeSystem(messages: readonly ModelMessage[], { systemRole }: RequestForm): readonly ModelMessage[] {
  const [system, user, ...others] = messages;
  if (systemRole !== "user" || system?.role !== "system" || user?.role !== "user") return messages;
  return [{ role: "user", content: `${system.content}\n\n${user.content}` }, ...others];
}

function toProviderMessage(
  message: ModelMessage,
  form: RequestForm,
  names: ToolNames,
): OpenAI.ChatCompletionMessageParam {
  if (message.role === "tool") return { role: "tool", tool_call_id: message.callId, content: message.content };
  if (message.role !== "assistant") {
    return { role: message.role === "system" ? form.systemRole : "user", content: message.content };
  }
  const { content, toolCalls = [], reasoning = "" } = message;
  const said = { role: "assistant" as const, ...withReasoning(content, reasoning, toolCalls.length > 0, form) };
  if (toolCalls.length === 0) return said;
  const tool_calls = toolCalls.map(({ id, name, arguments: args, extra = {} }) => ({
    ...extra,
    id,
    type: "function" as const,
    function: { name: names.toProvider(name), arguments: args },
  }));
  return { ...said, content: said.content === "" ? form.emptyContent : said.content, tool_calls };
}

/** Only the reasoning of turns that call tools goes back: of others no provider wants it. */
function withReasoning(content: string, reasoning: string, hasCalls: boolean, form: RequestForm) {
  const { returnReasoning, reasoningOfAll } = form;
  if (returnReasoning === "off" || !(hasCalls || reasoningOfAll)) return { content };
  if (returnReasoning !== "think") return { content, [returnReasoning]: reasoning };
  return { content: reasoning === "" ? content : `<think>${reasoning}</think>${content}` };
}
