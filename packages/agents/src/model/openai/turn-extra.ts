/**
 * What a provider wants back with a turn that called tools, as it sent it: the parts of its reasoning, which may be
 * signed or encrypted. To the platform it means nothing. Which fields these are is data; a stream sends them in pieces.
 */
import { type Fields, isFields } from "@agent-paas/shared/json/fields.ts";

type Rule = {
  /** Only what is signed or encrypted is wanted back: the rest is for people. */
  readonly ifSealed?: true;
  /** The fields without which a part of this type is refused. Default: none. */
  readonly needs?: Readonly<Record<string, readonly string[]>>;
  /** The field in which the reasoning goes back beside it, because that is what it signs. Default: none. */
  readonly beside?: string;
};

/** A list of content stands in the place of the text. */
export const CONTENT = "content";

/** Fields of a message, in the words of those who send them. */
const RETURNED: Readonly<Record<string, Rule>> = {
  // OpenRouter, Vercel, MiniMax
  reasoning_details: {},
  // LiteLLM: Anthropic's blocks, OpenAI's items, Gemini's signatures
  thinking_blocks: { needs: { thinking: ["signature"] } },
  reasoning_items: {},
  provider_specific_fields: { ifSealed: true },
  // Gemini, for a text beside its calls
  extra_content: { ifSealed: true },
  thought_signature: {},
  // GitHub Copilot
  reasoning_opaque: { beside: "reasoning_text" },
  // Gateways in front of OpenAI, xAI and Anthropic
  encrypted_content: { beside: "reasoning_content" },
  reasoning_signature: { beside: "reasoning_content" },
  // Databricks
  [CONTENT]: { ifSealed: true },
};

export const isReturned = (name: string): boolean => Object.hasOwn(RETURNED, name);

const SEALS = ["signature", "data", "encrypted_content", "thought_signature", "thought_signatures"] as const;

/** Texts of parts, of which a stream sends the continuation. Of any other field the latest value counts. */
const CONTINUED: ReadonlySet<string> = new Set(["text", "thinking", "reasoning", "summary", "content", "data"]);

const MAX_DEPTH = 8;
/** Of one list; more are not kept. */
const MAX_PARTS = 1_000;

export type TurnExtra = ReturnType<typeof createTurnExtra>;

export function createTurnExtra() {
  const fields = new Map<string, unknown>();
  return {
    /** One piece of a field, or the whole of it. */
    add(name: string, value: unknown): void {
      const merged = merge(name, fields.get(name), value, 0);
      if (merged !== undefined) fields.set(name, merged);
    },

    /** The fields that go back. */
    fields(reasoning: string): Fields {
      const found: Record<string, unknown> = {};
      for (const [name, value] of fields) {
        const rule = RETURNED[name] ?? {};
        const kept = usable(value, rule);
        if (!says(kept)) continue;
        if (rule.beside !== undefined && reasoning !== "") found[rule.beside] = reasoning;
        found[name] = kept;
      }
      return found;
    },
  };
}

function usable(value: unknown, { ifSealed, needs = {} }: Rule): unknown {
  if (ifSealed && !isSealed(value)) return undefined;
  if (!Array.isArray(value)) return value;
  return value.filter((part) => {
    if (!isFields(part)) return true;
    const needed = typeof part.type === "string" && Object.hasOwn(needs, part.type) ? needs[part.type] : [];
    return needed?.every((name) => says(part[name]));
  });
}

/** Whether there is anything but empty values in it. */
function says(value: unknown, depth = 0): boolean {
  if (value === undefined || value === null || value === "" || depth > MAX_DEPTH) return false;
  if (Array.isArray(value)) return value.some((each) => says(each, depth + 1));
  return isFields(value) ? Object.values(value).some((each) => says(each, depth + 1)) : true;
}

function isSealed(value: unknown, depth = 0): boolean {
  if (depth > MAX_DEPTH) return false;
  if (Array.isArray(value)) return value.some((each) => isSealed(each, depth + 1));
  if (!isFields(value)) return false;
  return SEALS.some((name) => says(value[name])) || Object.values(value).some((each) => isSealed(each, depth + 1));
}

/** `later` continues what there is; undefined and null say nothing. */
function merge(name: string, before: unknown, later: unknown, depth: number): unknown {
  if (later === undefined || later === null || depth > MAX_DEPTH) return before;
  if (before === undefined || before === null) return later;
  if (typeof before === "string" && typeof later === "string") {
    if (CONTINUED.has(name)) return before + later;
    return later === "" ? before : later;
  }
  if (Array.isArray(before) && Array.isArray(later)) return mergeLists(before, later, depth + 1);
  if (isFields(before) && isFields(later)) return mergeFields(before, later, depth + 1);
  return later;
}

function mergeFields(before: Fields, later: Fields, depth: number): Fields {
  const merged: Record<string, unknown> = { ...before };
  for (const [name, value] of Object.entries(later)) {
    // Assigned, it would be no field.
    if (name !== "__proto__") merged[name] = merge(name, own(before, name), value, depth);
  }
  return merged;
}

function mergeLists(before: readonly unknown[], later: readonly unknown[], depth: number): unknown[] {
  const merged = [...before];
  for (const [at, piece] of later.entries()) {
    const open = isFields(piece) ? placeOf(piece, merged, at === 0) : merged.includes(piece) ? null : -1;
    if (open === null || (open < 0 && merged.length >= MAX_PARTS)) continue;
    const part = merged[open];
    if (isFields(part) && isFields(piece)) merged[open] = mergeFields(part, piece, depth);
    else merged.push(piece);
  }
  return merged;
}

/**
 * Where the part stands that the piece continues; -1: it begins another. Parts are told apart by index, type and id.
 * Without an index the first piece of a chunk continues the last part, until that is sealed. Null: it says nothing new.
 */
function placeOf(piece: Fields, parts: readonly unknown[], isFirst: boolean): number | null {
  if (piece.index !== undefined && piece.index !== null) {
    const at = parts.findLastIndex((part) => isFields(part) && part.index === piece.index && isOne(part, piece));
    const found = parts[at];
    const isRepeated = isFields(found) && says(piece.data) && found.data === piece.data;
    return isRepeated ? null : at;
  }
  const last = parts.at(-1);
  const continues = isFirst && isFields(last) && isOne(last, piece) && !SEALS.some((name) => says(last[name]));
  return continues ? parts.length - 1 : -1;
}

/** Whether nothing says that these are two parts. */
const isOne = (part: Fields, piece: Fields): boolean =>
  ["type", "id", "index"].every((name) => !says(part[name]) || !says(piece[name]) || part[name] === piece[name]);

const own = (fields: Fields, name: string): unknown => (Object.hasOwn(fields, name) ? fields[name] : undefined);
