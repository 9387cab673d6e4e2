/** The messages of a chat completion request, and what they mean to a job. */
import type { ToolResult } from "@agent-paas/shared/contract/client-tools.ts";
import type { GivenMessage } from "@agent-paas/shared/contract/given-messages.ts";
import { type MessagePart, textOfParts } from "@agent-paas/shared/contract/message-parts.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { z } from "zod";
import { assertFewParts, PartSchema } from "../../validation/message-parts.ts";
import { joinQuestions, type Question } from "./questions.ts";
import { checkResults, type ResultFields } from "./tool-results.ts";
import { findUnpaired } from "./unpaired-calls.ts";
import { unsupported } from "./unsupported.ts";

const TextPartsSchema = z.array(z.looseObject({ type: z.literal("text"), text: z.string() }));
const RefusalPartSchema = z.looseObject({ type: z.literal("refusal"), refusal: z.string() });
const SaidPartsSchema = z.array(z.union([TextPartsSchema.element, RefusalPartSchema]));

const BlankSchema = z.looseObject({ type: z.literal("text"), text: z.string().refine((text) => text.trim() === "") });

/** Clients send an empty text beside an image that nothing was said to, and null for what a part has not. */
function asSaid(given: unknown): unknown {
  if (!Array.isArray(given)) return given;
  const parts = given.map((part) => withoutNulls(part, 2));
  const said = parts.filter((part) => !BlankSchema.safeParse(part).success);
  return said.length === 0 ? parts : said;
}

function withoutNulls(value: unknown, levels: number): unknown {
  if (levels === 0 || typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const fields = Object.entries(value).filter(([, inner]) => inner !== null);
  return Object.fromEntries(fields.map(([name, inner]) => [name, withoutNulls(inner, levels - 1)]));
}

const QuestionPartsSchema = z.preprocess(asSaid, z.array(PartSchema).min(1, "must not be empty"));

const TextSchema = z.union([z.string(), TextPartsSchema]);

const CallSchema = z.looseObject({
  id: z.string().min(1),
  type: z.literal("function", 'only calls of type "function" are supported'),
  function: z.looseObject({ name: z.string().min(1), arguments: z.string() }),
});

/** Loose: clients send back what they got, with fields of their own. */
export const MessageSchema = z.discriminatedUnion(
  "role",
  [
    z.looseObject({ role: z.enum(["system", "developer"]), content: TextSchema }),
    z.looseObject({ role: z.literal("user"), content: z.union([z.string(), QuestionPartsSchema]) }),
    z.looseObject({
      role: z.literal("assistant"),
      content: z.union([z.string(), SaidPartsSchema]).nullish(),
      refusal: z.string().nullish(),
      tool_calls: z.array(CallSchema).nullish(),
      audio: unsupported().nullable(),
      function_call: unsupported().nullable(),
    }),
    z.looseObject({ role: z.literal("tool"), tool_call_id: z.string().min(1), content: TextSchema }),
  ],
  { error: ({ code }) => (code === "invalid_union" ? "expected a role: system, user, assistant, tool" : undefined) },
);
type Message = z.infer<typeof MessageSchema>;

export type Conversation = {
  /** What is new: a question, or an empty text behind the results of calls. */
  readonly text: string;
  readonly parts?: readonly MessagePart[];
  readonly history: readonly GivenMessage[];
  /** Only of a session, whose calls they answer. */
  readonly toolResults: readonly ToolResult[];
};

/**
 * The messages are the conversation. Throws `invalid_request`.
 *
 * @param mostParts of one message.
 */
export function readConversation(messages: readonly Message[], mostParts: number): Conversation {
  const history = readMessages(messages, mostParts);
  const last = history.at(-1);
  if (last?.role !== "user") return { text: "", history, toolResults: [] };
  return { ...asQuestion(last), history: history.slice(0, -1), toolResults: [] };
}

/**
 * The session is the conversation: new is what follows the last answer. `system` messages hold for this request. Throws
 * `invalid_request`.
 */
export function readTurn(messages: readonly Message[], mostParts: number): Conversation {
  const all = messages.map(readMessage);
  const fresh = all.slice(beginOfTurn(messages));
  const questions = fresh.filter((message) => message.role === "user");
  const results = fresh.filter((message) => message.role === "tool");
  if (questions.length + results.length === 0) {
    throw invalid("messages", "nothing follows the last message of the assistant");
  }
  const question = questions.length === 0 ? undefined : questions.reduce(joinQuestions);
  const last = messages.findLastIndex(({ role }) => role === "user");
  assertFewParts(question?.parts ?? [], mostParts, `messages.${last}.content`);
  const given = results.map(({ call_id, content }) => ({ call_id, content }));
  return {
    ...(question === undefined ? { text: "" } : asQuestion(question)),
    history: all.filter(({ role }) => role === "system"),
    toolResults: checkResults(given, fieldsOfResults(messages)),
  };
}

const beginOfTurn = (messages: readonly Message[]): number =>
  messages.findLastIndex(({ role }) => role === "assistant") + 1;

/** Of the results that a turn brings. */
export function fieldsOfResults(messages: readonly Message[]): ResultFields {
  const begin = beginOfTurn(messages);
  const paths = messages.flatMap(({ role }, at) => (role === "tool" && at >= begin ? [`messages.${at}`] : []));
  return { list: "messages", paths, names: { call_id: "tool_call_id" } };
}

const asQuestion = ({ content: text, parts }: Question) => (parts === undefined ? { text } : { text, parts });

function readMessages(messages: readonly Message[], mostParts: number): GivenMessage[] {
  const given = messages.map(readMessage);
  assertPaired(given);
  const read: GivenMessage[] = [];
  for (const [at, message] of given.entries()) {
    const before = read.at(-1);
    if (message.role !== "user") {
      read.push(message);
      continue;
    }
    const question = before?.role === "user" ? joinQuestions(before, message) : message;
    assertFewParts(question.parts ?? [], mostParts, `messages.${at}.content`);
    if (before?.role === "user") read.pop();
    read.push(question);
  }
  return read;
}

function assertPaired(messages: readonly GivenMessage[]): void {
  const unpaired = findUnpaired(messages);
  if (unpaired === null) return;
  const { what, at, callId } = unpaired;
  if (what === "result")
    throw invalid(`messages.${at}.tool_call_id`, "no message right before it has a call with this id");
  throw invalid(`messages.${at}.tool_calls`, `no message of role tool behind it answers ${callId}`);
}

function readMessage(message: Message): GivenMessage {
  if (message.role === "user") return readQuestion(message.content as string | readonly MessagePart[]);
  if (message.role === "tool") {
    return { role: "tool", call_id: message.tool_call_id, content: textOf(message.content) };
  }
  if (message.role !== "assistant") return { role: "system", content: textOf(message.content) };
  const content = textOf(message.content ?? message.refusal ?? "");
  const calls = message.tool_calls ?? [];
  if (calls.length === 0) return { role: "assistant", content };
  const tool_calls = calls.map(({ id, function: called }) => ({ id, name: called.name, arguments: called.arguments }));
  return { role: "assistant", content, tool_calls };
}

function readQuestion(content: string | readonly MessagePart[]): Question {
  if (typeof content === "string") return { role: "user", content };
  const [only] = content;
  if (content.length === 1 && only?.type === "text") return { role: "user", content: only.text };
  return { role: "user", content: textOfParts(content), parts: [...content] };
}

type Said = string | readonly (z.infer<typeof SaidPartsSchema>[number] | z.infer<typeof TextPartsSchema>[number])[];

const textOf = (content: Said): string =>
  typeof content === "string"
    ? content
    : content.map((part) => (part.type === "text" ? part.text : part.refusal)).join("\n");

const invalid = (param: string, problem: string): PlatformError =>
  new PlatformError("invalid_request", { message: `${param}: ${problem}`, param });
