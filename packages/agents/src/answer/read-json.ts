/**
 * Reads the JSON of a model's answer, be it the whole text or among other words. Thoughts before it are left out. Of
 * several values the first one that is accepted counts, in this order: the whole text; code fences, the last one first;
 * values within prose, the last one first; a line that is a number, a word of JSON or a string.
 */
import { NumberOutOfRange, parseJson } from "@agent-paas/shared/json/exact-json.ts";
import { findJson, readJsonAt } from "./json-values.ts";

export type Accepted<Value> = { readonly problem: null; readonly value: Value };
export type Refused = { readonly problem: string };

export type JsonWords<Value> = {
  readonly words: string;
  /** Whether the JSON must be an object, an array or anything else; values of another type are tried last. */
  readonly type?: unknown;
  /** Decides whether a value is the one that was asked for. What it throws is no verdict on the value. */
  readonly accept: (value: unknown) => Promise<Accepted<Value> | Refused>;
};

/** Checks may take long, and words may hold thousands of values. */
const MAX_TRIED = 16;

/** `text` is the value's own. The problem is that of the value which comes first. */
export async function readJson<Value>({
  words,
  type,
  accept,
}: JsonWords<Value>): Promise<(Accepted<Value> & { readonly text: string }) | Refused> {
  let problem: string | null = null;
  let tried = 0;
  for (const text of inOrder(words, type)) {
    const parsed = parse(text);
    if (parsed === null) continue;
    if (parsed instanceof NumberOutOfRange) {
      problem ??= parsed.message;
      continue;
    }
    const verdict = await accept(parsed.value);
    if (verdict.problem === null) return { ...verdict, text };
    problem ??= verdict.problem;
    tried += 1;
    if (tried === MAX_TRIED) break;
  }
  return { problem: problem ?? "it is not JSON" };
}

const BEGINNINGS: ReadonlyMap<unknown, string> = new Map([
  ["object", "{"],
  ["array", "["],
]);

function inOrder(words: string, type: unknown): ReadonlySet<string> {
  const answer = withoutThoughts(words);
  const whole = wholeJson(answer);
  if (whole !== null) return new Set([whole]);
  const inProse = findJson(answer).map(({ text }) => text);
  const found = [...fencedJson(answer).reverse(), ...inProse.reverse(), ...lonelyLines(answer)];
  const begin = BEGINNINGS.get(type) ?? "";
  return new Set([...found.filter((text) => text.startsWith(begin)), ...found]);
}

/** Null for what is no JSON, an error for a number that cannot be kept. */
function parse(text: string): { readonly value: unknown } | NumberOutOfRange | null {
  try {
    return { value: parseJson(text) };
  } catch (error) {
    return error instanceof NumberOutOfRange ? error : null;
  }
}

/** The text, mended, if there is nothing but a JSON value in it. `trim` takes a byte-order mark away, too. */
function wholeJson(words: string): string | null {
  const text = words.trim();
  if (text === "") return null;
  const mended = isContainer(text) ? readJsonAt(text, 0).value : { text, end: text.length };
  return mended?.end === text.length && parse(mended.text) !== null ? mended.text : null;
}

const isContainer = (text: string): boolean => text.startsWith("{") || text.startsWith("[");

const THOUGHT_BEGIN = /^<(?:think|thinking|thought)>/i;
const THOUGHT_END = /<\/(?:think|thinking|thought)>/gi;

/** Thoughts hold drafts, which are no answer. Empty when a thought has no end. */
function withoutThoughts(words: string): string {
  let answer = words.trim();
  while (THOUGHT_BEGIN.test(answer)) {
    const [end] = answer.matchAll(THOUGHT_END);
    answer = end === undefined ? "" : answer.slice(end.index + end[0].length).trim();
  }
  return wholeJson(answer) === null ? answer.slice(endOfThought(answer)) : answer;
}

/** Some servers send the closing tag alone. A tag within a value is part of the value's strings. */
function endOfThought(words: string): number {
  if (words.search(THOUGHT_END) === -1) return 0;
  const values = findJson(words);
  for (let at = values.length; at >= 0; at -= 1) {
    const from = values[at - 1]?.end ?? 0;
    const end = [...words.slice(from, values[at]?.start).matchAll(THOUGHT_END)].at(-1);
    if (end !== undefined) return from + end.index + end[0].length;
  }
  return 0;
}

/** What stands in code fences that are for JSON, or for nothing in particular, and is JSON as a whole. */
function fencedJson(words: string): string[] {
  const found: (string | null)[] = [];
  let open: { readonly mark: string; readonly isJson: boolean; readonly from: number } | null = null;
  for (const { line, from, end } of linesOf(words)) {
    const mark = fenceOf(line);
    const rest = line.slice(mark.length).trim();
    if (open !== null) {
      if (rest !== "" || !mark.startsWith(open.mark)) continue;
      if (open.isJson) found.push(wholeJson(words.slice(open.from, from)));
      open = null;
    } else if (mark !== "" && rest.endsWith(mark)) {
      found.push(wholeJson(rest.slice(rest.toLowerCase().startsWith("json") ? "json".length : 0, -mark.length)));
    } else if (mark !== "") {
      open = { mark, isJson: rest === "" || rest.toLowerCase().startsWith("json"), from: end };
    }
  }
  return found.filter((text) => text !== null);
}

/** The mark that a line begins with, of three characters or more; empty if it is no fence. */
function fenceOf(line: string): string {
  const [char = ""] = line;
  if (char !== "`" && char !== "~") return "";
  let length = 1;
  while (line[length] === char) length += 1;
  return length < 3 ? "" : char.repeat(length);
}

function* linesOf(words: string): Generator<{ readonly line: string; readonly from: number; readonly end: number }> {
  for (let from = 0; from < words.length; ) {
    const newline = words.indexOf("\n", from);
    const end = newline === -1 ? words.length : newline;
    yield { line: words.slice(from, end).trim(), from, end };
    from = end + 1;
  }
}

/** The last line and the first, where they are a string, a number or a word of JSON. */
function lonelyLines(words: string): string[] {
  const lines = words.trim().split("\n");
  return [lines.at(-1), lines[0]].flatMap((line = "") => (isContainer(line.trim()) ? [] : (wholeJson(line) ?? [])));
}
