/** Reads one event of a provider's answer into typed pieces, whatever form it has. Nothing of it is trusted. */
import { type Fields, isFields } from "@agent-paas/shared/json/fields.ts";
import { createCumulativeText, type DeltaKind } from "./cumulative-text.ts";
import { readFinish } from "./finish-reasons.ts";
import { pushCalls, readMessage } from "./messages.ts";
import { type Piece, type PushPiece, pushContent } from "./pieces.ts";
import { createPlainChunks } from "./plain-chunks.ts";
import { isLast, LAST_EVENT } from "./read-events.ts";
import { CONTENT } from "./turn-extra.ts";
import { parseJson } from "./untrusted.ts";
import { readUsage } from "./usage.ts";

/** Beside choices, only these report a failure. */
const ERROR_FIELDS = ["error", "errors", "error_code", "error_msg", "error_message"] as const;
/** What a chunk without choices consists of when it reports a failure: FastAPI's, DashScope's, SiliconFlow's words. */
const WORDS_FIELDS = ["message", "msg", "detail", "errorMessage", "Message"] as const;
/** Codes of success, which some providers send with every chunk. */
const SUCCESS: ReadonlySet<unknown> = new Set([undefined, null, 0, "0", 200, "200", "success", "Success", "ok", "OK"]);

/** The content of a message that a chunk repeats as a whole, in the order in which it is shown. */
const CONTENT_TYPES = ["reasoning", "marked_text", "text", "refusal"] as const;

/**
 * A reader of one answer: what a chunk means may depend on those before it. `expected` is what the provider's former
 * answers were.
 */
export function createChunkReader(take: PushPiece, expected: DeltaKind = "unknown") {
  const plain = createPlainChunks();
  const deltas = { text: createCumulativeText(expected), reasoning: createCumulativeText(expected) };
  /** Of the chunk that is read: its pieces, and the last of them. */
  let pieces = 0;
  let latest: Piece | null = null;
  let hasDeltas = false;
  /** Whether the content came as a list, which may go on as text. */
  let listsContent = false;
  /** What messages have said so far. */
  const said = { text: "", marked_text: "", reasoning: "", refusal: "" };

  function push(piece: Piece): void {
    pieces++;
    latest = piece;
    // Some providers report their usage with each chunk.
    if (piece.type !== "usage" && piece.type !== "extra") {
      pushHeld("text");
      pushHeld("reasoning");
    }
    take(piece);
  }

  function pushHeld(type: "text" | "reasoning"): void {
    pushContent(take, type, deltas[type].rest());
  }

  function pushText(type: "text" | "reasoning", content: string): void {
    pushHeld(type === "text" ? "reasoning" : "text");
    pushContent(take, type, deltas[type].added(content));
  }

  function pushOfDelta(piece: Piece): void {
    hasDeltas = true;
    if (piece.type === "extra" && piece.name === CONTENT) listsContent = true;
    if (piece.type !== "text" && piece.type !== "reasoning") {
      push(piece);
      return;
    }
    pieces++;
    latest = piece;
    pushText(piece.type, piece.content);
  }

  function readChunk(chunk: Fields): void {
    if (reportsFailure(chunk)) {
      push({ type: "failure", failure: chunk });
      return;
    }
    const { choices, usage, x_groq: groq } = chunk;
    for (const choice of Array.isArray(choices) ? choices : [choices]) if (isFirst(choice)) readChoice(choice);
    pushUsage(usage ?? chunk.usageMetadata);
    pushFinish(chunk.finish_reason);
    if (!isFields(groq)) return;
    // Groq's usage stands beside the last choice, and so does its failure.
    pushUsage(groq.usage);
    if (saysSomething(groq.error)) push({ type: "failure", failure: { ...groq, status: groq.error_status_code } });
  }

  function readChoice(choice: Fields): void {
    const { delta, message, text, error, usage } = choice;
    if (isFields(delta)) readDelta(delta);
    else if (typeof delta === "string") pushContent(pushOfDelta, "text", delta);
    // A message in a chunk stands for the delta, or repeats the whole of what the deltas have said.
    if (!hasDeltas && isFields(message)) readWhole(message);
    else if (!hasDeltas && typeof text === "string") pushContent(push, "text", text);
    if (choice.tool_calls) pushCalls(choice.tool_calls, pushOfDelta);
    for (const said of [error, inside(delta, "error"), inside(message, "error")]) {
      if (saysSomething(said)) push({ type: "failure", failure: said });
    }
    pushUsage(usage ?? inside(delta, "usage"));
    pushFinish(choice.finish_reason ?? choice.finishReason ?? choice.done_reason ?? choice.stop_reason);
  }

  function readDelta(delta: Fields): void {
    readMessage(delta, pushOfDelta);
    const { content: text } = delta;
    if (listsContent && typeof text === "string")
      push({ type: "extra", name: CONTENT, value: [{ type: "text", text }] });
  }

  /** Of a message that begins with all that messages have said so far, only the rest is new. */
  function readWhole(message: Fields): void {
    const found: Piece[] = [];
    readMessage(message, (piece) => found.push(piece));
    for (const type of CONTENT_TYPES) {
      const content = found.flatMap((piece) => (piece.type === type ? [piece.content] : [])).join("");
      const before = said[type];
      const isRepeated = before !== "" && content.length > before.length && content.startsWith(before);
      const added = isRepeated ? content.slice(before.length) : content;
      said[type] += added;
      pushContent(push, type, added);
    }
    for (const piece of found) if (piece.type === "tool_call" || piece.type === "extra") push(piece);
  }

  function readValue(value: unknown): void {
    if (value === LAST_EVENT) push({ type: "end" });
    else if (isFields(value)) readChunk(value);
  }

  function pushFinish(value: unknown): void {
    const finish = readFinish(value);
    if (finish !== null) push({ type: "finish", finish });
  }

  function pushUsage(usage: unknown): void {
    if (isFields(usage)) push({ type: "usage", usage: readUsage(usage) });
  }

  function learnFrom(data: string, chunk: Fields): void {
    if (latest?.type === "text") plain.learn(data, chunk, latest.content);
  }

  return {
    /** What is known of the deltas now. */
    kind: (): DeltaKind => {
      const other = expected === "cumulative" ? "plain" : "cumulative";
      return deltas.text.kind() === other || deltas.reasoning.kind() === other ? other : expected;
    },

    /** Throws for a chunk that was cut. */
    read(data: string, name?: string): void {
      if (name === "error") {
        push({ type: "failure", failure: data });
        return;
      }
      if (name === "done") push({ type: "end" });
      const text = listsContent ? null : plain.textOf(data);
      if (text !== null) {
        if (text !== "") pushText("text", text);
        return;
      }
      // Nearly always an event is a chunk.
      const chunk = data.startsWith("{") ? parseJson(data) : undefined;
      pieces = 0;
      latest = null;
      if (isFields(chunk)) readChunk(chunk);
      else for (const value of valuesIn(data)) readValue(value);
      if (pieces === 1 && isFields(chunk)) learnFrom(data, chunk);
    },
  };
}

/**
 * The values of an event. What begins like a chunk and is none was cut, and the answer is not whole. Any other text
 * keeps the connection alive (`ping`, `[HEARTBEAT]`).
 */
function valuesIn(data: string): readonly unknown[] {
  const text = data.startsWith("{") ? data : data.trim();
  if (text.startsWith("{")) return parseChunks(text);
  if (isLast(text)) return [LAST_EVENT];
  // Some gateways put an event into an event.
  if (text.startsWith("data:")) return valuesIn(text.slice("data:".length));
  const value = parseJson(text);
  return Array.isArray(value) ? value : [];
}

/** Servers that leave out the empty line between events make several chunks one event. */
function parseChunks(text: string): readonly unknown[] {
  try {
    return [JSON.parse(text)];
  } catch (error) {
    const lines = text.split("\n").filter((line) => line.trim() !== "");
    if (lines.length < 2) throw error;
    return lines.flatMap((line) => (line.startsWith("{") ? [JSON.parse(line)] : valuesIn(line)));
  }
}

function reportsFailure(chunk: Fields): boolean {
  if (saysSomething(chunk.error)) return true;
  const hasChoices = Array.isArray(chunk.choices) && chunk.choices.length > 0;
  if (hasChoices) return false;
  if (chunk.object === "error" || chunk.type === "error") return true;
  if (ERROR_FIELDS.some((name) => saysSomething(chunk[name]))) return true;
  if (isFields(chunk.base_resp) && !SUCCESS.has(chunk.base_resp.status_code)) return true;
  const isSuccess = (chunk.code !== undefined && SUCCESS.has(chunk.code)) || chunk.success === true;
  return !isSuccess && WORDS_FIELDS.some((name) => saysSomething(chunk[name]));
}

/** Some providers send the fields of an error with every chunk, and leave them empty. */
function saysSomething(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (isFields(value)) return Object.values(value).some((each) => Boolean(each) && !SUCCESS.has(each));
  return Boolean(value) && !SUCCESS.has(value);
}

const inside = (value: unknown, name: string): unknown => (isFields(value) ? value[name] : undefined);

/** Only one answer is asked for. */
const isFirst = (choice: unknown): choice is Fields =>
  isFields(choice) &&
  (choice.index === 0 || choice.index === undefined || choice.index === null || choice.index === "0");
