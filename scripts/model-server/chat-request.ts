/**
 * Validates the body of POST /v1/chat/completions, as strictly as real providers do where a client is likely to be
 * wrong: above all the pairing of tool calls with their results, which a trimmed history breaks.
 */
import { z } from "zod";
import { ApiError, parseOrRefuse } from "./api-error.ts";

const textPart = z.looseObject({ type: z.literal("text"), text: z.string() });
const content = z.union([z.string(), z.array(textPart)], { error: "must be a string or an array of text parts" });
const userPart = z.discriminatedUnion("type", [
  textPart,
  z.looseObject({ type: z.literal("image_url"), image_url: z.looseObject({ url: z.string().min(1) }) }),
  z.looseObject({ type: z.literal("file"), file: z.looseObject({}) }),
]);
const userContent = z.union([z.string(), z.array(userPart)], { error: "must be a string or an array of parts" });

const calledFunction = z.looseObject({
  id: z.string().min(1),
  type: z.literal("function"),
  function: z.looseObject({ name: z.string().min(1), arguments: z.string() }),
});

const message = z.discriminatedUnion("role", [
  z.looseObject({ role: z.literal(["system", "developer"]), content }),
  z.looseObject({ role: z.literal("user"), content: userContent }),
  z.looseObject({
    role: z.literal("assistant"),
    content: content.nullish(),
    tool_calls: z.array(calledFunction).min(1).nullish(),
  }),
  z.looseObject({ role: z.literal("tool"), content, tool_call_id: z.string().min(1) }),
]);

const functionName = z.string().regex(/^[\w-]{1,64}$/, "must be 1 to 64 of a-z, A-Z, 0-9, _ and -");

const chatRequestSchema = z.looseObject({
  model: z.string().min(1),
  messages: z.array(message).min(1),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  max_tokens: z.int().min(1).nullish(),
  max_completion_tokens: z.int().min(1).nullish(),
  n: z.literal(1).nullish(),
  tools: z
    .array(
      z.looseObject({
        type: z.literal("function"),
        function: z.looseObject({ name: functionName, parameters: z.record(z.string(), z.unknown()).nullish() }),
      }),
    )
    .min(1)
    .nullish(),
  tool_choice: z
    .union([
      z.enum(["none", "auto", "required"]),
      z.looseObject({ type: z.literal("function"), function: z.looseObject({ name: z.string() }) }),
    ])
    .nullish(),
  response_format: z.looseObject({ type: z.enum(["text", "json_object", "json_schema"]) }).nullish(),
});

export type ChatRequest = z.output<typeof chatRequestSchema>;
export type Message = z.output<typeof message>;

export function parseChatRequest(body: unknown): ChatRequest {
  const request = parseOrRefuse(chatRequestSchema, body);
  if (request.stream_options && !request.stream) {
    throw invalid("stream_options", "The 'stream_options' parameter is only allowed when 'stream' is enabled.");
  }
  checkToolChoice(request);
  checkToolPairs(request.messages);
  return request;
}

function checkToolChoice({ tools, tool_choice: choice }: ChatRequest): void {
  if (!choice || choice === "none") return;
  if (!tools) throw invalid("tool_choice", "'tool_choice' is only allowed when 'tools' are specified.");
  if (typeof choice === "string" || tools.some((tool) => tool.function.name === choice.function.name)) return;
  throw invalid("tool_choice", `Tool choice '${choice.function.name}' not found in 'tools' parameter.`);
}

function checkToolPairs(messages: readonly Message[]): void {
  let unanswered = new Set<string>();
  for (const [index, item] of messages.entries()) {
    const param = `messages[${index}]`;
    if (item.role === "tool") {
      if (unanswered.delete(item.tool_call_id)) continue;
      throw invalid(
        `${param}.role`,
        "messages with role 'tool' must be a response to a preceding message with 'tool_calls'.",
      );
    }
    if (unanswered.size > 0) break;
    if (item.role !== "assistant") continue;
    if (!item.tool_calls && item.content == null)
      throw invalid(`${param}.content`, `Invalid '${param}.content': missing`);
    unanswered = new Set(item.tool_calls?.map((call) => call.id));
  }
  if (unanswered.size === 0) return;
  throw invalid(
    "messages",
    "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. " +
      `The following tool_call_ids did not have response messages: ${[...unanswered].join(", ")}`,
  );
}

function invalid(param: string, text: string): ApiError {
  return new ApiError(400, text, { param });
}

export function textOf(item: Message): string {
  if (typeof item.content === "string") return item.content;
  return item.content?.map((part) => (part.type === "text" ? part.text : "")).join("") ?? "";
}

export function lastUserText(messages: readonly Message[]): string {
  const last = messages.findLast((item) => item.role === "user");
  return last ? textOf(last) : "";
}

/** The messages after the last user message: an agent's tool calls and their results. */
export function sinceLastUser(messages: readonly Message[]): readonly Message[] {
  return messages.slice(messages.findLastIndex((item) => item.role === "user") + 1);
}
