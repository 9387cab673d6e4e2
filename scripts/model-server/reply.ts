/**
 * The complete answer to a request as a sequence of pieces, decided before the first byte is sent. A piece is the
 * content of one stream chunk and counts as one token of usage.
 */
import { createHash } from "node:crypto";
import { type ChatRequest, type Message, sinceLastUser, textOf } from "./chat-request.ts";
import type { Chosen } from "./script-book.ts";
import type { Step, ToolCall } from "./step.ts";
import { cut, type Language, languageOf } from "./text.ts";
import { tokenize } from "./tokenize.ts";
import { generatedTokens, literalTokens, type TokenSource } from "./vocabulary.ts";

/**
 * Text, or a part of a tool call in the format of the protocol's delta: the first part names the call, the others
 * append to its arguments.
 */
export type Piece = string | ToolCallDelta;
export type ToolCallDelta =
  | { index: number; id: string; type: "function"; function: { name: string; arguments: "" } }
  | { index: number; function: { arguments: string } };

export type FinishReason = "stop" | "length" | "tool_calls";

export type Reply = {
  readonly length: number;
  readonly finish: FinishReason;
  at(index: number): Piece;
};

/** Maximum length of a quoted text, in UTF-16 units. */
const MAX_QUOTE = 500;

export function composeReply(request: ChatRequest, { step, question }: Chosen): Reply {
  const calls = toolCallsOf(step, request);
  const text = textSource(request, step, question, calls.length > 0);
  const callPieces = calls.flatMap((call, index) => deltasOf(call, index, request));
  const whole = text.length + callPieces.length;
  const limit = request.max_completion_tokens ?? request.max_tokens ?? Infinity;
  return {
    length: Math.min(whole, limit),
    finish: whole > limit ? "length" : calls.length > 0 ? "tool_calls" : "stop",
    at: (index) => (index < text.length ? text.at(index) : (callPieces[index - text.length] as ToolCallDelta)),
  };
}

/** A model calls only offered tools. If a call is required and none is scripted, it calls a tool without arguments. */
function toolCallsOf(step: Step, { tools, tool_choice: choice }: ChatRequest): readonly ToolCall[] {
  if (!tools || choice === "none") return [];
  if (step.tool_calls) return step.tool_calls;
  if (!choice || choice === "auto") return [];
  const name = choice === "required" ? tools[0]?.function.name : choice.function.name;
  return name ? [{ name, arguments: "{}" }] : [];
}

function textSource(request: ChatRequest, step: Step, question: string, calling: boolean): TokenSource {
  const language = step.lang ?? languageOf(question);
  if (step.text !== undefined) return literalTokens(step.text);
  if (step.tokens !== undefined) return generatedTokens(step.tokens, language, question);
  return literalTokens(calling ? "" : echo(request.messages, question, language));
}

function echo(messages: readonly Message[], question: string, language: Language): string {
  const results = quotedResults(messages);
  if (language === "zh") {
    if (results.length === 0) return `这是本地模型的回答。你说的是：“${cut(question, MAX_QUOTE)}”`;
    return `这是本地模型的回答。工具返回：${results.map(([name, text]) => `${name} → “${text}”`).join("；")}`;
  }
  if (results.length === 0) return `This is the local model. You said: "${cut(question, MAX_QUOTE)}"`;
  const quotes = results.map(([name, text]) => `${name} → "${text}"`);
  return `This is the local model. The tools returned: ${quotes.join("; ")}`;
}

/** Name and result of each tool call since the last user message. */
function quotedResults(messages: readonly Message[]): [name: string, text: string][] {
  const turns = sinceLastUser(messages);
  const names = new Map(
    turns.flatMap((item) => (item.role === "assistant" ? (item.tool_calls ?? []) : [])).map((call) => [call.id, call]),
  );
  return turns
    .filter((item) => item.role === "tool")
    .map((item) => [names.get(item.tool_call_id)?.function.name ?? "tool", cut(textOf(item), MAX_QUOTE)]);
}

function deltasOf(call: ToolCall, index: number, request: ChatRequest): ToolCallDelta[] {
  const json = typeof call.arguments === "string" ? call.arguments : JSON.stringify(call.arguments);
  return [
    { index, id: callId(request, index), type: "function", function: { name: call.name, arguments: "" } },
    ...tokenize(json).map((token) => ({ index, function: { arguments: token } })),
  ];
}

/** Derived from the conversation, so that a retried request gets the same ids and a later model turn gets others. */
function callId(request: ChatRequest, index: number): string {
  const hash = createHash("sha256").update(JSON.stringify(request.messages)).update(`#${index}`);
  return `call_${hash.digest("hex").slice(0, 24)}`;
}
