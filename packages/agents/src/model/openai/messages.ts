/**
 * Reads a message, or a piece of one: text, reasoning, refusal, tool calls. What the fields are called is data; of the
 * names in a list the first that a provider uses counts, because gateways repeat one text under several.
 */
import { type Fields, isFields } from "@agent-paas/shared/json/fields.ts";
import { type ContentType, type PushPiece, pushContent } from "./pieces.ts";
import type { ToolCallPiece } from "./tool-calls.ts";
import { CONTENT, isReturned } from "./turn-extra.ts";
import { parseJson } from "./untrusted.ts";

/** DeepSeek's, Qwen's, vLLM's; OpenRouter's, Groq's, Ollama's; gateways'; lists of blocks of OpenRouter and LiteLLM. */
const REASONING_FIELDS = [
  ...["reasoning_content", "reasoning", "thinking", "reasoning_text", "thinking_content", "thought", "thoughts"],
  ...["reasoning_details", "thinking_blocks"],
] as const;

/** Parts of content by their type. Without a type, and with another one that has text, a part is text. */
const PART_TYPES: Readonly<Record<string, ContentType>> = {
  thinking: "reasoning",
  thinking_delta: "reasoning",
  thought: "reasoning",
  reasoning: "reasoning",
  reasoning_content: "reasoning",
  reasoning_text: "reasoning",
  "reasoning.text": "reasoning",
  "reasoning.summary": "reasoning",
  summary_text: "reasoning",
  refusal: "refusal",
};

/** Where a part has its text; each may hold parts again. */
const TEXT_FIELDS = [
  ...[
    "text",
    "thinking",
    "reasoning",
    "reasoning_content",
    "refusal",
    "summary",
    "content",
    "value",
    "thought",
    "parts",
  ],
] as const;

/** What a provider sends with a call and wants back: Gemini's thought signature, also as gateways pass it on. */
const EXTRA_FIELDS = ["extra_content", "provider_specific_fields", "thought_signature"] as const;

const ARGUMENT_FIELDS = ["arguments", "parameters", "input", "args"] as const;

/** Parts within parts, at most. */
const MAX_DEPTH = 4;

export function readMessage(message: Fields, push: PushPiece): void {
  if (hasTextAlone(message)) pushContent(push, "text", message.content);
  else readAll(message, push);
}

/** Nearly all chunks: the names of everything else are not looked for one by one. */
function hasTextAlone(message: Fields): message is Fields & { readonly content: string } {
  for (const name in message) if (name !== "content" && name !== "role" && message[name] !== null) return false;
  return typeof message.content === "string";
}

function readAll(message: Fields, push: PushPiece): void {
  for (const name of REASONING_FIELDS) {
    const value = message[name];
    if (value === undefined || value === null) continue;
    const reasoning = textOf(value);
    if (reasoning === "") continue;
    push({ type: "reasoning", content: reasoning });
    break;
  }
  const { content, refusal, function_call: call } = message;
  const calls = message.tool_calls ?? message.toolCalls;
  for (const name in message) if (isReturned(name)) pushReturned(name, message, push);
  if (typeof content === "string") pushContent(push, isMarked(message) ? "marked_text" : "text", content);
  else if (content !== undefined && content !== null) pushParts(content, push);
  if (typeof refusal === "string") pushContent(push, "refusal", refusal);
  if (calls) pushCalls(calls, push);
  if (isFields(call)) pushCalls([{ index: 0, function: call }], push);
}

function pushReturned(name: string, message: Fields, push: PushPiece): void {
  const value = message[name];
  if (value === undefined || value === null || value === "") return;
  if (name === CONTENT ? typeof value === "string" : name === "extra_content" && isMarked(message)) return;
  push({ type: "extra", name, value });
}

/** Gemini puts its thoughts into the content. */
const isMarked = ({ extra_content: extra }: Fields): boolean =>
  isFields(extra) && isFields(extra.google) && extra.google.thought === true;

/** Content that is no string: a list of parts, one part, or JSON that a gateway has parsed. */
function pushParts(content: unknown, push: PushPiece): void {
  if (Array.isArray(content)) {
    for (const part of content) pushPart(part, push);
  } else {
    pushPart(content, push);
  }
}

function pushPart(part: unknown, push: PushPiece): void {
  if (!isFields(part)) {
    pushContent(push, "text", textOf(part));
    return;
  }
  const type =
    typeof part.type === "string" && Object.hasOwn(PART_TYPES, part.type) ? PART_TYPES[part.type] : undefined;
  if (part.type === "tool_use" || part.type === "tool_call") {
    pushCalls([part], push);
    return;
  }
  if (part.type === undefined && !TEXT_FIELDS.some((name) => part[name] !== undefined)) {
    pushContent(push, "text", JSON.stringify(part));
    return;
  }
  pushContent(push, type ?? "text", textOf(part));
}

/** The text of a value in any of its forms; "" for what has none. */
function textOf(value: unknown, depth = 0): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (depth > MAX_DEPTH) return "";
  if (Array.isArray(value)) return value.map((each) => textOf(each, depth + 1)).join("");
  if (!isFields(value)) return "";
  for (const name of TEXT_FIELDS) {
    const text = textOf(value[name], depth + 1);
    if (text !== "") return text;
  }
  return "";
}

export function pushCalls(calls: unknown, push: PushPiece): void {
  const list = listOf(typeof calls === "string" ? parseJson(calls) : calls).filter(isFields);
  for (const [at, call] of list.entries()) {
    // Calls that come together are told apart by their places.
    push({ type: "tool_call", call: readCall(call, list.length > 1 ? at : null) });
  }
}

/** A list, one call, or calls by their places. */
function listOf(calls: unknown): readonly unknown[] {
  if (Array.isArray(calls)) return calls;
  const isOne = isFields(calls) && ["function", "name", "id"].some((name) => calls[name] !== undefined);
  return isFields(calls) && !isOne ? Object.values(calls) : [calls];
}

function readCall(call: Fields, place: number | null): ToolCallPiece {
  const named = isFields(call.function) ? call.function : call;
  const name = typeof call.function === "string" ? call.function : named.name;
  const args = ARGUMENT_FIELDS.map((name) => named[name]).find((value) => value !== undefined && value !== null);
  const extra = EXTRA_FIELDS.filter((name) => call[name] !== undefined && call[name] !== null);
  return {
    index: indexOf(call.index) ?? place,
    id: typeof call.id === "string" || typeof call.id === "number" ? String(call.id) : "",
    name: typeof name === "string" ? name.trim() : "",
    arguments: typeof args === "object" ? JSON.stringify(args) : typeof args === "string" ? args : "",
    extra: extra.length === 0 ? null : Object.fromEntries(extra.map((name) => [name, call[name]])),
  };
}

function indexOf(value: unknown): number | null {
  const index = typeof value === "string" && value !== "" ? Number(value) : value;
  return typeof index === "number" && Number.isFinite(index) ? index : null;
}
