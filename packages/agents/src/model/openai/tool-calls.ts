/**
 * Assembles the tool calls of a turn: each arrives in pieces, and the pieces of several may interleave. Providers
 * differ in what tells the pieces of one call from those of another: the index, the id, the name, or only that the
 * arguments so far are complete.
 */
import { isFields } from "@agent-paas/shared/json/fields.ts";
import type { ToolCall } from "../model.ts";
import { newCallId } from "./call-ids.ts";
import { parseJson } from "./untrusted.ts";

/** One piece, of which any part may be missing. */
export type ToolCallPiece = {
  /** Null: not told. */
  readonly index: number | null;
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
  /** What has to go back with the call; null: nothing. */
  readonly extra: Readonly<Record<string, unknown>> | null;
};

type OpenCall = {
  id: string;
  name: string;
  arguments: string;
  /** The latest piece of the arguments: some providers repeat the whole in it. */
  latest: string;
  extra: Readonly<Record<string, unknown>> | null;
  end: JsonEnd;
};

/** What some gateways send before the arguments. */
const PLACEHOLDER = "{}";

/** More calls in one turn than any provider allows. */
export const MAX_TOOL_CALLS = 256;

export function createToolCalls() {
  const calls: OpenCall[] = [];
  /** The latest call of each index and of each id. */
  const byIndex = new Map<number, OpenCall>();
  const byId = new Map<string, OpenCall>();

  function callOf(piece: ToolCallPiece): OpenCall {
    const { index, id, name } = piece;
    const indexed = index === null ? undefined : byIndex.get(index);
    // A new index begins a new call, but there is nothing to call without a name.
    const latest = index === null || name === "" ? calls.at(-1) : undefined;
    let call = indexed ?? byId.get(id) ?? latest;
    if (call === undefined || beginsAnother(piece, call, indexed === undefined && index !== null)) {
      call = { id: "", name: "", arguments: "", latest: "", extra: null, end: createJsonEnd() };
      calls.push(call);
    }
    if (index !== null) byIndex.set(index, call);
    return call;
  }

  return {
    count: () => calls.length,

    add(piece: ToolCallPiece): void {
      const call = callOf(piece);
      if (call.id === "" && piece.id !== "") {
        call.id = piece.id;
        byId.set(piece.id, call);
      }
      call.name = nameWith(call.name, piece.name);
      if (piece.extra !== null) call.extra = { ...call.extra, ...piece.extra };
      // The same call as a whole once more, as in a last chunk that repeats the message.
      if (piece.arguments === "" || (call.end.isComplete() && piece.arguments === call.arguments)) return;
      if (call.arguments === PLACEHOLDER) {
        call.arguments = "";
        call.end = createJsonEnd();
      }
      call.arguments += piece.arguments;
      call.latest = piece.arguments;
      call.end.add(piece.arguments);
    },

    /**
     * The calls in the order in which they began, with ids of their own; a call without one gets one that no turn has
     * had. `isCut`: the turn ended within the last call, or may have.
     */
    calls(isCut: boolean): ToolCall[] {
      const ids = new Set<string>();
      const meant = calls.filter(({ name, arguments: args }) => name !== "" || args !== "");
      return meant.map((call, at) => {
        const id = unusedId(call.id || newCallId(), ids);
        ids.add(id);
        const { name, extra } = call;
        const isWhole = !isCut || at < meant.length - 1;
        return { id, name, arguments: argumentsOf(call, isWhole), ...(extra === null ? {} : { extra }) };
      });
    },
  };
}

/** Whether the piece belongs to another call than the one that its index, its id or its place points to. */
function beginsAnother(piece: ToolCallPiece, open: OpenCall, hasNewIndex: boolean): boolean {
  // There is nothing to call without a name. A new id then is one that comes late, or new in every chunk.
  if (piece.name === "") return false;
  const hasOtherId = piece.id !== "" && open.id !== "" && piece.id !== open.id;
  // The name may come behind the arguments, or the first of them.
  if (open.name === "") return hasOtherId || hasNewIndex;
  if (open.end.isComplete()) {
    const isRepeated = piece.name === open.name && (piece.arguments === "" || piece.arguments === open.arguments);
    return hasNewIndex || hasOtherId || !isRepeated;
  }
  // The name may be repeated in every chunk; before the arguments it may also come in pieces.
  return piece.name !== open.name && (hasOtherId || open.arguments !== "");
}

/** Names come whole and may be repeated; a few providers send them in pieces. */
function nameWith(name: string, piece: string): string {
  if (piece === "" || piece === name) return name;
  return piece.startsWith(name) ? piece : name + piece;
}

function unusedId(id: string, used: ReadonlySet<string>): string {
  if (!used.has(id)) return id;
  for (let number = 2; ; number++) if (!used.has(`${id}_${number}`)) return `${id}_${number}`;
}

/** How often arguments are encoded into one another, at most. */
const MAX_ENCODED = 3;

/** The arguments as the text of an object, if they are one in any form; else as the model wrote them. */
function argumentsOf({ arguments: text, latest }: OpenCall, isWhole: boolean): string {
  // Some providers send none for a call without arguments.
  if (text.trim() === "") return isWhole ? "{}" : "";
  return objectIn(text) ?? objectIn(latest) ?? text;
}

function objectIn(text: string): string | null {
  let inner = text;
  for (let depth = 0; depth < MAX_ENCODED; depth++) {
    const value = parseJson(inner);
    if (isFields(value)) return inner;
    if (value === null) return "{}";
    if (typeof value !== "string") return null;
    if (value.trim() === "") return "{}";
    inner = value;
  }
  return null;
}

type JsonEnd = ReturnType<typeof createJsonEnd>;

/** Tells whether a text so far is a whole object, or a whole string with one in it. Linear: it reads on. */
function createJsonEnd() {
  let depth = 0;
  let inString = false;
  let isEscaped = false;
  let hasBegun = false;
  return {
    add(text: string): void {
      for (let at = 0; at < text.length; at++) {
        const char = text[at];
        if (isEscaped) isEscaped = false;
        else if (inString && char === "\\") isEscaped = true;
        else if (char === '"') {
          inString = !inString;
          hasBegun = true;
        } else if (!inString && char === "{") {
          depth++;
          hasBegun = true;
        } else if (!inString && char === "}") depth--;
      }
    },
    isComplete: () => hasBegun && depth <= 0 && !inString,
  };
}
