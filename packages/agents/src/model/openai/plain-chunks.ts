/**
 * Reads the chunks that differ from one before in nothing but their text, as nearly all of a stream do: what stands
 * around the text is compared, not read again. Whatever differs is left to the tolerant reader.
 */
import { type Fields, isFields } from "@agent-paas/shared/json/fields.ts";

const KEY = '"content":"';
/** Texts up to here hold nothing that would have to be decoded; a longer slice would keep its whole chunk in memory. */
const MAX_SLICED = 12;
/** A form is learnt so often at least, and after that only while it serves for some chunks. */
const MIN_LEARNT = 4;
const MIN_SERVED = 8;

export function createPlainChunks() {
  let before: string | null = null;
  let behind = "";
  let learnt = 0;
  let served = 0;

  return {
    /** The text of a chunk that is like the one learnt from; null for any other. */
    textOf(data: string): string | null {
      if (before === null || data.length < before.length + behind.length) return null;
      if (!data.startsWith(before) || !data.endsWith(behind)) return null;
      const text = decoded(data, before.length, data.length - behind.length);
      if (text !== null) served++;
      return text;
    },

    /** `data` is a chunk that said this text and nothing else. */
    learn(data: string, chunk: Fields, text: string): void {
      if (learnt >= MIN_LEARNT && served < MIN_SERVED) return;
      learnt++;
      served = 0;
      before = null;
      if (contentOf(chunk) !== text) return;
      const at = data.indexOf(KEY) + KEY.length;
      if (at < KEY.length) return;
      const head = data.slice(0, at);
      const tail = data.slice(endOfString(data, at));
      // It is the content of the delta that stands there, and not another field of the same name.
      const other = text === "a" ? "b" : "a";
      if (contentOf(JSON.parse(`${head}${other}${tail}`)) !== other) return;
      before = ownCopy(head);
      behind = ownCopy(tail);
    },
  };
}

/** A slice keeps what it was cut from in memory: all that came with the chunk. */
const ownCopy = (slice: string): string => JSON.parse(JSON.stringify(slice));

/** Where the string ends that begins there. */
function endOfString(data: string, from: number): number {
  let at = from;
  while (at < data.length && data.charCodeAt(at) !== QUOTE) at += data.charCodeAt(at) === BACKSLASH ? 2 : 1;
  return at;
}

/** The content of the only choice. */
function contentOf(chunk: unknown): unknown {
  if (!isFields(chunk) || !Array.isArray(chunk.choices) || chunk.choices.length !== 1) return undefined;
  const [choice] = chunk.choices;
  return isFields(choice) && isFields(choice.delta) ? choice.delta.content : undefined;
}

const FIRST_PRINTABLE = 0x20;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** The string whose JSON stands there between quotation marks; null: it is none. */
function decoded(data: string, from: number, to: number): string | null {
  if (to - from <= MAX_SLICED) {
    let at = from;
    for (; at < to; at++) {
      const char = data.charCodeAt(at);
      if (char < FIRST_PRINTABLE || char === QUOTE || char === BACKSLASH) break;
    }
    if (at === to) return data.slice(from, to);
  }
  try {
    const text: unknown = JSON.parse(data.slice(from - 1, to + 1));
    return typeof text === "string" ? text : null;
  } catch {
    return null;
  }
}
