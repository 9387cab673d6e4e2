/** The body of a request for chat completions. */
import type { ToolChoice } from "@agent-paas/shared/contract/client-tools.ts";
import type OpenAI from "openai";
import type { ModelMessage, ModelRequest } from "../model.ts";
import { mendConversation } from "./conversation.ts";
import type { RequestForm } from "./quirks.ts";
import { createToolNames, type ToolNames } from "./tool-names.ts";
import { providerSchema } from "./tool-schemas.ts";
import { CONTENT } from "./turn-extra.ts";

type CompletionRequest = {
  readonly body: OpenAI.ChatCompletionCreateParamsStreaming;
  /** The names by which the model knows the tools. */
  readonly names: ToolNames;
};

/** `origin`: whose turns' extras go along. */
export function toCompletionRequest(
  request: ModelRequest,
  model: string,
  form: RequestForm,
  origin: string,
): CompletionRequest {
  const { maxTokens, responseSchema, toolChoice, parallelToolCalls } = request;
  // Of two tools with one name the platform calls the first; providers refuse both.
  const tools = [...Map.groupBy(request.tools ?? [], ({ name }) => name).values()].flatMap(([first]) => first ?? []);
  const names = createToolNames(tools.map(({ name }) => name));
  const messages = mendConversation(keptParts(request.messages, form), form.callIds);
  const body = {
    model,
    messages: placeSystem(messages, form).map((message) => toProviderMessage(message, form, names, origin)),
    ...toSampling(request),
    ...(maxTokens === undefined ? {} : { [form.maxTokensField]: maxTokens }),
    ...(tools.length === 0
      ? {}
      : {
          tools: tools.map(({ name, description, parameters }) => ({
            type: "function" as const,
            function: { name: names.toProvider(name), description, parameters: providerSchema(parameters) },
          })),
          ...(toolChoice === undefined ? {} : { tool_choice: toProviderChoice(toolChoice, names) }),
          ...(parallelToolCalls === false ? { parallel_tool_calls: false } : {}),
        }),
    ...(responseSchema === undefined ? {} : toResponseFormat(responseSchema, form.responseFormat)),
    stream: true as const,
    ...(form.streamUsage ? { stream_options: { include_usage: true } } : {}),
  };
  return { body, names };
}

/** Without what is every provider's default: some refuse the field itself. */
function toSampling(request: ModelRequest): Partial<OpenAI.ChatCompletionCreateParamsStreaming> {
  const { temperature, topP, frequencyPenalty = 0, presencePenalty = 0, stop = [], seed, reasoningEffort } = request;
  return {
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { top_p: topP }),
    ...(frequencyPenalty === 0 ? {} : { frequency_penalty: frequencyPenalty }),
    ...(presencePenalty === 0 ? {} : { presence_penalty: presencePenalty }),
    ...(stop.length === 0 ? {} : { stop: typeof stop === "string" ? stop : [...stop] }),
    ...(seed === undefined ? {} : { seed }),
    // Providers have values of their own.
    ...(reasoningEffort === undefined ? {} : { reasoning_effort: reasoningEffort as OpenAI.ReasoningEffort }),
  };
}

const toProviderChoice = (choice: ToolChoice, names: ToolNames) =>
  typeof choice === "string"
    ? choice
    : { type: "function" as const, function: { name: names.toProvider(choice.name) } };

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
  const { content, parts } = user;
  const own = parts === undefined ? {} : { parts: [{ type: "text" as const, text: system.content }, ...parts] };
  return [{ role: "user", content: `${system.content}\n\n${content}`, ...own }, ...others];
}

/** For models that take texts only: an image that an earlier message brought would end every later turn. */
function keptParts(messages: readonly ModelMessage[], { parts: kept }: RequestForm): readonly ModelMessage[] {
  if (kept === "all") return messages;
  const latest = messages.findLast((message) => message.role === "user" && !message.isCorrection);
  return messages.map((message) => {
    if (message === latest || message.role !== "user" || message.parts === undefined) return message;
    const texts = message.parts.map((part) => (part.type === "text" ? part.text : `[${part.type}]`));
    return { role: "user", content: texts.join("\n") };
  });
}

function toProviderMessage(
  message: ModelMessage,
  form: RequestForm,
  names: ToolNames,
  origin: string,
): OpenAI.ChatCompletionMessageParam {
  if (message.role === "tool") return { role: "tool", tool_call_id: message.callId, content: message.content };
  if (message.role === "system") return { role: form.systemRole, content: message.content };
  if (message.role === "user") {
    return { role: "user", content: (message.parts ?? message.content) as string | OpenAI.ChatCompletionContentPart[] };
  }
  const { toolCalls = [], extra } = message;
  const isOwn = extra === undefined || extra.origin === origin;
  const said = { role: "assistant" as const, ...withReasoning(message, isOwn, form) };
  if (toolCalls.length === 0) return said;
  const tool_calls = toolCalls.map(({ id, name, arguments: args, extra: ofCall = {} }) => ({
    ...(isOwn && form.callExtra ? ofCall : {}),
    id,
    type: "function" as const,
    function: { name: names.toProvider(name), arguments: args },
  }));
  return { ...said, content: said.content === "" ? form.emptyContent : said.content, tool_calls };
}

/** Only the reasoning of turns that call tools goes back: of others no provider wants it. */
function withReasoning(
  { content, reasoning = "", toolCalls = [], extra }: ModelMessage & { readonly role: "assistant" },
  isOwn: boolean,
  { returnReasoning, reasoningOfAll }: RequestForm,
) {
  if (returnReasoning === "off" || !(toolCalls.length > 0 || reasoningOfAll)) return { content };
  const fields = isOwn ? (extra?.fields ?? {}) : {};
  const said = { content, ...fields };
  if (returnReasoning === "marked") return said;
  if (returnReasoning === "reasoning_content") return { ...said, reasoning_content: reasoning };
  // The parts say the same as the text, and more.
  if (fields.reasoning_details !== undefined || fields[CONTENT] !== undefined) return said;
  if (returnReasoning === "reasoning") return { ...said, reasoning };
  return { ...said, content: reasoning === "" ? content : `<think>${reasoning}</think>${content}` };
}
