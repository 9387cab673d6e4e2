/** What a framework's run shows, in the words of the platform's events. */
import type { Locale } from "@agent-paas/shared/contract/locale.ts";
import type { AgentInput } from "../agent/agent.ts";
import { type AgentEvent, text, thought } from "../agent/events.ts";
import { showCall, showResult } from "../answer/call-tools.ts";
import { firstMessages } from "../answer/first-messages.ts";
import type { ModelMessage } from "../model/model.ts";
import type { FrameworkRun } from "./framework-run.ts";

export type HistoryOptions = {
  /** Most tokens of earlier messages of the session; the newest are kept. Default: 8,000. */
  readonly historyTokens?: number;
};

/** The session's latest messages and the message or task itself; instructions are the framework's matter. */
export const messagesFor = (input: AgentInput, { historyTokens = 8_000 }: HistoryOptions): Promise<ModelMessage[]> =>
  firstMessages(input, { history_tokens: historyTokens });

export type AnswerText = {
  /** A model turn begins: an empty line separates its text from what came before. */
  beginTurn(): void;
  piece(content: string): AgentEvent;
  /** All text so far. */
  content(): string;
  /** That of the latest turn. */
  ofTurn(): string;
};

export function createAnswerText(): AnswerText {
  let content = "";
  let turn = "";
  return {
    beginTurn() {
      turn = "";
    },
    piece(piece) {
      const shown = turn === "" && content !== "" ? `\n\n${piece}` : piece;
      turn += piece;
      content += shown;
      return text(shown);
    },
    content: () => content,
    ofTurn: () => turn,
  };
}

export const reasoning = (content: string): AgentEvent => thought("reasoning", content);

export type ShownCall = { readonly id: string; readonly name: string };

export const toolCall = (call: ShownCall, args: unknown): AgentEvent =>
  showCall({ ...call, arguments: typeof args === "string" ? args : (JSON.stringify(args) ?? "{}") });

/** `result`: what the framework says. What the platform knows of the call, if it made it, is more exact. */
export function toolResult(
  run: FrameworkRun,
  call: ShownCall,
  result: unknown,
  { failed = false, replayed = false } = {},
): AgentEvent {
  const known = run.outcomes.get(call.id);
  const content = typeof result === "string" ? result : (JSON.stringify(result) ?? "");
  return showResult(call, known ?? { status: failed ? "error" : "ok", content, replayed, durationMs: 0 });
}

/** What the model's provider found by itself: a page or a document. */
export function showSource({ url, title, filename }: Readonly<Record<string, unknown>>): AgentEvent {
  const [name = "", ...more] = [title, url ?? filename].filter((text) => typeof text === "string");
  return thought("status", [name, ...more.map((text) => `(${text})`)].join(" "), { source: { url, title, filename } });
}

export type ModelFile = { readonly mediaType: string; readonly base64: string };

/** A file that the model made, which only the agent can keep. */
export function showFile({ mediaType, base64 }: ModelFile, locale: Locale): AgentEvent {
  const bytes = Buffer.byteLength(base64, "base64");
  return thought("status", MADE_FILE[locale](mediaType, bytes), { file: { media_type: mediaType, bytes } });
}

const MADE_FILE: Readonly<Record<Locale, (mediaType: string, bytes: number) => string>> = {
  zh: (mediaType, bytes) => `模型生成了一个文件（${mediaType}，${bytes} 字节）`,
  en: (mediaType, bytes) => `The model made a file (${mediaType}, ${bytes} bytes)`,
};

/** The arguments of a call of the history; what is no JSON goes as a text. */
export function readArguments(text: string): unknown {
  try {
    return JSON.parse(text.trim() === "" ? "{}" : text);
  } catch {
    return text;
  }
}
