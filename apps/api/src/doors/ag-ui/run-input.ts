/** `RunAgentInput` of AG-UI 1.0, and what it means to a job. */
import type { ClientTool, ToolResult } from "@agent-paas/shared/contract/client-tools.ts";
import type { GivenMessage } from "@agent-paas/shared/contract/given-messages.ts";
import { type MessagePart, textOfParts } from "@agent-paas/shared/contract/message-parts.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { z } from "zod";
import { REQUEST_HEADERS } from "../../http/headers.ts";
import { ToolResultsSchema, ToolsSchema } from "../../validation/client-tools.ts";
import { CHAT_FIELDS } from "../../validation/job-fields.ts";
import { checkParts, type PartLimits } from "../../validation/message-parts.ts";
import { JsonObjectSchema, JsonSchema, validate } from "../../validation/validate.ts";
import { resultIdOf } from "./events.ts";

const SourceSchema = z.looseObject({
  type: z.enum(["data", "url", "file"]),
  value: z.string(),
  mimeType: z.string().optional(),
});

/** Loose: later versions have more. */
const ContentPartSchema = z.looseObject({
  type: z.string(),
  text: z.string().optional(),
  source: SourceSchema.optional(),
});
type ContentPart = z.infer<typeof ContentPartSchema>;

const MessageSchema = z.looseObject({
  id: z.string(),
  role: z.enum(["developer", "system", "assistant", "user", "tool", "activity", "reasoning"]),
  content: z.union([z.string(), z.array(ContentPartSchema), JsonObjectSchema]).optional(),
  toolCallId: z.string().optional(),
  error: z.string().optional(),
});
type Message = z.infer<typeof MessageSchema>;

const ToolSchema = z.looseObject({
  name: z.string(),
  description: z.string().optional(),
  parameters: JsonObjectSchema.optional(),
});

const ResumeSchema = z.looseObject({
  interruptId: z.string(),
  status: z.enum(["resolved", "cancelled"]),
  payload: JsonSchema.optional(),
});
export type ResumeEntry = z.infer<typeof ResumeSchema>;

/** What `forwardedProps` may say; the rest of it is the application's own. */
const PropsSchema = z.object(CHAT_FIELDS);

export const RunInputSchema = z
  .looseObject({
    threadId: z.string().min(1).max(255).describe("The client's own id of the thread; it names a session."),
    runId: REQUEST_HEADERS["Idempotency-Key"].describe(
      "The same run with the same body is the same job, for 24 hours.",
    ),
    messages: z.array(MessageSchema),
    tools: z.array(ToolSchema).default([]).describe("Tools that the client runs itself."),
    context: z.array(z.looseObject({ description: z.string(), value: z.string() })).default([]),
    state: JsonSchema.optional().describe("Reaches the agent as its input, unless it is empty."),
    forwardedProps: PropsSchema.loose().prefault({}),
    resume: z.array(ResumeSchema).default([]).describe("Answers to what the last run was interrupted for."),
  })
  .meta({
    examples: [{ threadId: "t-1", runId: "r-1", messages: [{ id: "m-1", role: "user", content: "Hello" }] }],
  });
export type RunInput = z.output<typeof RunInputSchema> & {
  /** Results of calls before the assistant's last message: of the same turn, or of one before. */
  readonly earlierResults: readonly Message[];
};

/**
 * Throws `invalid_request`. Messages before the last one of the assistant are the session's, and not looked at, but for
 * results right before it: some clients have a message for each of several calls, and the result of each behind it.
 */
export function readRunInput(body: unknown): RunInput {
  const { messages } = (body ?? {}) as { readonly messages?: unknown };
  if (!Array.isArray(messages)) return { ...validate(RunInputSchema, body), earlierResults: [] };
  const last = messages.findLastIndex((message) => message?.role === "assistant");
  const before = messages.slice(0, last + 1);
  const earlier = before.slice(before.findLastIndex((message) => !isOfCalls(message)) + 1);
  const results = earlier.filter(({ role }) => role === "tool");
  return {
    ...validate(RunInputSchema, { ...(body as object), messages: messages.slice(last + 1) }),
    earlierResults: validate(z.array(MessageSchema), results, ["messages"]),
  };
}

/** Of messages that were not looked at. */
const isOfCalls = (message: { readonly role?: unknown; readonly toolCalls?: unknown } | null): boolean =>
  message?.role === "tool" ||
  message?.role === "reasoning" ||
  (message?.role === "assistant" && Array.isArray(message.toolCalls) && message.toolCalls.length > 0);

export type Turn = {
  readonly text: string;
  readonly parts?: readonly MessagePart[];
  readonly history: readonly GivenMessage[];
  readonly tools: readonly ClientTool[];
  readonly toolResults: readonly ToolResult[];
  /** Not checked; of calls of the same turn if the thread waits for them. */
  readonly earlierResults: readonly ToolResult[];
  readonly input?: unknown;
};

/** What the run adds to its thread. Throws `invalid_request` or `payload_too_large`. */
export function readTurn({ messages, tools, context, state, earlierResults }: RunInput, limits: PartLimits): Turn {
  const parts = messages.filter(({ role }) => role === "user").flatMap(partsOf);
  const results = resultsIn(messages);
  if (parts.length + results.length === 0) {
    throw invalid("messages", "expected a message of the user, or the result of a tool, behind those of the assistant");
  }
  const question = parts.length === 0 ? { text: "", parts: [] } : checkParts(parts, limits, "messages");
  const isText = question.parts.every(({ type }) => type === "text");
  return {
    text: question.text,
    ...(isText ? {} : { parts: question.parts }),
    history: [...messages.filter(isInstruction).map(({ content }) => textOf(content)), ...context.map(asText)].map(
      (content) => ({ role: "system", content }),
    ),
    tools: (validate(ToolsSchema, tools.map(asTool), ["tools"]) ?? []) as readonly ClientTool[],
    toolResults: checkResults(results),
    earlierResults: resultsIn(earlierResults),
    ...(hasContent(state) ? { input: state } : {}),
  };
}

/** Throws `invalid_request`. */
export const checkResults = (results: readonly ToolResult[]): readonly ToolResult[] =>
  results.length === 0 ? [] : (validate(ToolResultsSchema, results, ["messages"]) ?? []);

const resultsIn = (messages: readonly Message[]): readonly ToolResult[] =>
  messages.filter((message) => message.role === "tool" && !isOwnResult(message)).map(resultOf);

/**
 * The messages without those of the user that the thread's latest job is about already: nothing of the assistant may
 * stand behind them yet. `question`: that job's text.
 */
export function withoutAsked(messages: readonly Message[], question: string): readonly Message[] {
  const users = messages.filter(({ role }) => role === "user");
  const asked = users.findIndex((_, at) => textOfParts(users.slice(0, at + 1).flatMap(partsOf)) === question);
  return asked < 0 ? messages : messages.filter((message) => !users.slice(0, asked + 1).includes(message));
}

/** Of a call that the platform has made, as the events told it. */
const isOwnResult = ({ id, toolCallId = "" }: Message): boolean => id === resultIdOf(toolCallId);

const isInstruction = ({ role }: Message): boolean => role === "system" || role === "developer";
const asText = ({ description, value }: RunInput["context"][number]): string => `${description}: ${value}`;
const asTool = ({ name, description, parameters }: RunInput["tools"][number]) => ({
  name,
  ...(description === undefined ? {} : { description }),
  ...(parameters === undefined ? {} : { parameters }),
});

/** Clients send an empty object where they have no state. */
const hasContent = (state: unknown): boolean =>
  state !== undefined && state !== null && !(typeof state === "object" && Object.keys(state).length === 0);

const textOf = (content: Message["content"]): string =>
  typeof content === "string" ? content : JSON.stringify(content ?? "");

function resultOf({ toolCallId, content, error }: Message): ToolResult {
  if (toolCallId === undefined) throw invalid("messages", "a message of a tool needs a toolCallId");
  const texts = Array.isArray(content) ? content.map(({ text = "" }) => text).join("\n") : textOf(content);
  return { call_id: toolCallId, content: error ?? texts };
}

function partsOf({ content }: Message): MessagePart[] {
  if (typeof content === "string") return [{ type: "text", text: content }];
  return Array.isArray(content) ? content.map(partOf) : [];
}

function partOf({ type, text, source }: ContentPart): MessagePart {
  if (type === "text" && text !== undefined) return { type, text };
  if (source === undefined || (type !== "image" && type !== "document")) {
    throw invalid("messages", `a message of the user cannot have a part of type ${type}`);
  }
  const { value, mimeType = type === "image" ? "image/png" : "application/octet-stream" } = source;
  const data = source.type === "data" ? `data:${mimeType};base64,${value}` : value;
  if (type === "image") return { type: "image_url", image_url: { url: data } };
  return { type: "file", file: source.type === "file" ? { file_id: value } : { file_data: data } };
}

const invalid = (param: string, problem: string): PlatformError =>
  new PlatformError("invalid_request", { message: `${param}: ${problem}`, param });
