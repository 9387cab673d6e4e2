/**
 * Directives: a block in the last user message that scripts the answer, so that a test needs no second channel.
 *
 *   block = "[[" name "=" value { space name "=" value } "]]"
 *   value = characters without a space; in `text`, %XX stands for any byte of UTF-8
 *   calls = turn { "|" turn }        one model turn each; after the last of them comes the text answer
 *   turn  = call { ";" call }        parallel tool calls
 *   call  = name "(" [ JSON ] ")"    the JSON may hold spaces and brackets
 *
 * `[[` without a following `name=` is ordinary text. A block with an unknown name or a bad value is refused with a 400,
 * because a directive without effect would make a test pass for the wrong reason.
 */
import { ApiError, parseOrRefuse } from "./api-error.ts";
import { type Directives, type DirectivesInput, directivesSchema, type ToolCall, type ToolCallInput } from "./step.ts";

const OPENING = /\[\[(?=\s*[a-z_]+=)/;
const CLOSING = /\s*\]\]/y;
const NAME = /\s*([a-z_]+)=/y;
const WORD = /(?:(?!\]\])\S)+/y;
/** Outside strings JSON contains no parenthesis, so the first one ends the arguments, even if the JSON is broken. */
const CALL = /([\w-]+)\(((?:[^")]|"(?:[^"\\]|\\.)*")*)\)/y;

const READ: Record<string, (word: string) => unknown> = {
  tokens: Number,
  rate: Number,
  ttft: Number,
  after: Number,
  retry_after: Number,
  times: Number,
  turn: Number,
  text: unescaped,
  stamp: (word) => word === "1",
  fault: (word) => (/^\d+$/.test(word) ? Number(word) : word),
};

export type Parsed = {
  readonly directives: Directives | undefined;
  /** The message without its block of directives. */
  readonly plain: string;
};

export function parseDirectives(message: string): Parsed {
  const opening = OPENING.exec(message);
  if (!opening) return { directives: undefined, plain: message };
  const reader = new Reader(message, opening.index + 2);
  const fields: Record<string, unknown> = {};
  while (!reader.take(CLOSING)) {
    const name = reader.take(NAME)?.[1];
    if (!name) throw reader.error("expected name=value or ]]");
    fields[name] = name === "calls" ? readTurns(reader) : readWord(reader, name);
  }
  const plain = message.slice(0, opening.index) + message.slice(reader.at);
  return { directives: parseOrRefuse(directivesSchema, fields), plain: plain.trim() };
}

/** Writes the block that `parseDirectives` reads; for tests that build their messages. */
export function formatDirectives({ calls, ...scalars }: DirectivesInput): string {
  const pairs = Object.entries(scalars)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${name === "stamp" ? Number(value) : encodeURIComponent(String(value))}`);
  if (calls) pairs.push(`calls=${calls.map((turn) => turn.map(formatCall).join(";")).join("|")}`);
  return `[[${pairs.join(" ")}]]`;
}

function formatCall({ name, arguments: json = "{}" }: ToolCallInput): string {
  return `${name}(${typeof json === "string" ? json : JSON.stringify(json)})`;
}

function readWord(reader: Reader, name: string): unknown {
  const word = reader.take(WORD)?.[0] ?? "";
  return Object.hasOwn(READ, name) ? READ[name]?.(word) : word;
}

function readTurns(reader: Reader): ToolCall[][] {
  const turns: ToolCall[][] = [[]];
  for (;;) {
    const [, name, json] = reader.take(CALL) ?? [];
    if (!name) throw reader.error("expected name(JSON)");
    turns.at(-1)?.push({ name, arguments: json?.trim() || "{}" });
    if (reader.take(/\|/y)) turns.push([]);
    else if (!reader.take(/;/y)) return turns;
  }
}

function unescaped(word: string): string {
  try {
    return decodeURIComponent(word);
  } catch {
    throw new ApiError(400, `Directive text=: bad % escape in '${word}'`);
  }
}

class Reader {
  at: number;
  readonly #text: string;

  constructor(text: string, at: number) {
    this.#text = text;
    this.at = at;
  }

  take(sticky: RegExp): RegExpExecArray | null {
    sticky.lastIndex = this.at;
    const found = sticky.exec(this.#text);
    if (found) this.at = sticky.lastIndex;
    return found;
  }

  error(what: string): ApiError {
    const near = this.#text.slice(this.at, this.at + 20);
    return new ApiError(400, `Directive block: ${what}${near ? ` at '${near}'` : ""}`);
  }
}
