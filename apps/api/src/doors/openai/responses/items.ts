/** The items of a request's input, and what they mean to a job. */
import type { GivenMessage } from "@agent-paas/shared/contract/given-messages.ts";
import { type MessagePart, textOfParts } from "@agent-paas/shared/contract/message-parts.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { z } from "zod";
import { assertFewParts, PartSchema } from "../../../validation/message-parts.ts";
import { validate } from "../../../validation/validate.ts";
import { joinQuestions, type Question } from "../questions.ts";
import { findUnpaired } from "../unpaired-calls.ts";

const TextPartSchema = z.looseObject({ type: z.enum(["input_text", "output_text", "text"]), text: z.string() });

const ContentPartSchema = z.discriminatedUnion(
  "type",
  [
    TextPartSchema,
    z.looseObject({ type: z.literal("refusal"), refusal: z.string() }),
    z.looseObject({ type: z.literal("input_image"), image_url: z.string(), detail: z.string().nullish() }),
    z.looseObject({
      type: z.literal("input_file"),
      file_data: z.string().nullish(),
      file_id: z.string().nullish(),
      filename: z.string().nullish(),
    }),
  ],
  { error: 'expected "input_text", "input_image" or "input_file"' },
);
type ContentPart = z.infer<typeof ContentPartSchema>;

const ContentSchema = z.union([z.string(), z.array(ContentPartSchema)]);

const ROLES = ["user", "assistant", "system", "developer"] as const;

const MessageItemSchema = z.looseObject({
  type: z.literal("message").nullish(),
  role: z.enum(ROLES, `expected a role: ${ROLES.join(", ")}`),
  content: ContentSchema,
});

/** Loose: clients send back what they got, with fields of their own. */
const OtherItemSchema = z.discriminatedUnion(
  "type",
  [
    z.looseObject({
      type: z.literal("function_call"),
      call_id: z.string().min(1),
      name: z.string().min(1),
      arguments: z.string(),
    }),
    z.looseObject({
      type: z.literal("function_call_output"),
      call_id: z.string().min(1),
      output: z.union([z.string(), z.array(TextPartSchema)]),
    }),
    z.looseObject({ type: z.literal("reasoning") }),
    z.looseObject({ type: z.literal("item_reference"), id: z.string().min(1) }),
  ],
  { error: ({ code }) => (code === "invalid_union" ? "items of this type are not supported" : undefined) },
);

export const InputItemSchema = z.union([OtherItemSchema, MessageItemSchema]);
type InputItem = z.infer<typeof InputItemSchema>;

/** Reads what an `item_reference` stands for. */
export type ResolveItem = (id: string, param: string) => Promise<readonly GivenMessage[]>;

/**
 * Items as messages, in their order. What a model thought does not go back to it. Throws `invalid_request`.
 *
 * @param mostParts of one message.
 */
export async function readItems(
  items: readonly InputItem[],
  resolve: ResolveItem,
  mostParts: number,
): Promise<GivenMessage[]> {
  const messages: GivenMessage[] = [];
  for (const [at, item] of items.entries()) {
    const read =
      item.type === "item_reference" ? await resolve(item.id, `input.${at}.id`) : readItem(item, ["input", at]);
    for (const message of read) add(messages, message);
    const last = messages.at(-1);
    if (last?.role === "user") assertFewParts(last.parts ?? [], mostParts, `input.${at}.content`);
  }
  return messages;
}

type Path = readonly (string | number)[];

function readItem(item: InputItem, path: Path): readonly GivenMessage[] {
  if (item.type == null || item.type === "message") return [readMessage(item, [...path, "content"])];
  if (item.type === "function_call_output") {
    const { call_id, output } = item;
    const content = typeof output === "string" ? output : output.map(({ text }) => text).join("\n");
    return [{ role: "tool", call_id, content }];
  }
  if (item.type !== "function_call") return [];
  const { call_id: id, name, arguments: args } = item;
  return [{ role: "assistant", content: "", tool_calls: [{ id, name, arguments: args }] }];
}

function readMessage({ role, content }: z.infer<typeof MessageItemSchema>, path: Path): GivenMessage {
  const parts: readonly ContentPart[] = typeof content === "string" ? [{ type: "text", text: content }] : content;
  if (role === "user") return readQuestion(parts, path);
  const texts = parts.map((part, at) => {
    if ("text" in part && typeof part.text === "string") return part.text;
    if (part.type === "refusal") return String(part.refusal);
    throw invalid([...path, at, "type"], `only text can be of the role ${role}`);
  });
  return { role: role === "assistant" ? "assistant" : "system", content: texts.join("\n") };
}

function readQuestion(content: readonly ContentPart[], path: Path): Question {
  const [only] = content;
  if (content.length === 1 && only !== undefined && "text" in only) return { role: "user", content: String(only.text) };
  if (content.length === 0) throw invalid(path, "must not be empty");
  const isAllBlank = content.every(isBlank);
  const parts = content.flatMap((part, at) =>
    // Clients send an empty text beside an image that nothing was said to.
    isBlank(part) && !isAllBlank ? [] : [validate(PartSchema, asPart(part), [...path, at]) as MessagePart],
  );
  return { role: "user", content: textOfParts(parts), parts };
}

const isBlank = (part: ContentPart): boolean => "text" in part && String(part.text).trim() === "";

/** As the chat protocol has it, in which parts travel and are kept. */
function asPart(part: ContentPart): unknown {
  if (part.type === "input_image") {
    const { image_url: url, detail } = part;
    return { type: "image_url", image_url: { url, ...(detail == null ? {} : { detail }) } };
  }
  if (part.type === "input_file") {
    const { file_data, file_id, filename } = part;
    const given = Object.entries({ file_data, file_id, filename }).filter(([, value]) => value != null);
    return { type: "file", file: Object.fromEntries(given) };
  }
  return { type: "text", text: part.type === "refusal" ? part.refusal : part.text };
}

/** Adds a message; neighbours that are one turn to a model become one. */
export function add(messages: GivenMessage[], message: GivenMessage): void {
  const before = messages.at(-1);
  const joined = before === undefined ? null : join(before, message);
  if (joined === null) messages.push(message);
  else messages[messages.length - 1] = joined;
}

function join(before: GivenMessage, next: GivenMessage): GivenMessage | null {
  if (before.role === "user" && next.role === "user") return joinQuestions(before, next);
  if (before.role !== "assistant" || next.role !== "assistant") return null;
  // An answer's text and its calls are items of their own; a text after calls begins an answer.
  if (next.tool_calls === undefined) return null;
  return {
    ...before,
    content: before.content || next.content,
    tool_calls: [...(before.tool_calls ?? []), ...next.tool_calls],
  };
}

/** Throws `invalid_request` for a call without a result, and a result without a call. */
export function assertAnswered(messages: readonly GivenMessage[]): void {
  const unpaired = findUnpaired(messages);
  if (unpaired === null) return;
  const { what, callId } = unpaired;
  if (what === "call") throw invalid(["input"], `No tool output found for function call ${callId}.`);
  throw invalid(["input"], `No tool call found for function call output with call_id ${callId}.`);
}

export function invalid(path: Path, problem: string): PlatformError {
  const param = path.join(".");
  return new PlatformError("invalid_request", { message: `${param}: ${problem}`, param });
}

/** Messages as items of a list: `input_items`, and those of a conversation. */
export function asItems(messages: readonly GivenMessage[], idOf: (at: number) => string) {
  return messages.flatMap((message, at): StoredItem[] => {
    const id = idOf(at);
    const status = "completed" as const;
    if (message.role === "tool") {
      const { call_id, content: output } = message;
      return [{ id, type: "function_call_output", status, call_id, output }];
    }
    if (message.role === "assistant") {
      const calls = (message.tool_calls ?? []).map(
        (call, n): StoredItem => ({
          ...{ id: `${id}_${n}`, type: "function_call", status },
          ...{ call_id: call.id, name: call.name, arguments: call.arguments },
        }),
      );
      const content = [{ type: "output_text", text: message.content, annotations: [] }];
      const said: StoredItem[] =
        message.content === "" ? [] : [{ id, type: "message", status, role: "assistant", content }];
      return [...said, ...calls];
    }
    const content = message.role === "user" && message.parts !== undefined ? message.parts.map(asContent) : null;
    const text = [{ type: "input_text", text: message.content }];
    return [{ id, type: "message", status, role: message.role, content: content ?? text }];
  });
}

export const StoredItemSchema = z.looseObject({
  id: z.string(),
  type: z.enum(["message", "function_call", "function_call_output"]),
  status: z.literal("completed"),
});
type StoredItem = z.infer<typeof StoredItemSchema>;

function asContent(part: MessagePart): object {
  if (part.type === "text") return { type: "input_text", text: part.text };
  if (part.type === "file") return { type: "input_file", ...part.file };
  const { url: image_url, detail = "auto" } = part.image_url;
  return { type: "input_image", image_url, detail };
}
