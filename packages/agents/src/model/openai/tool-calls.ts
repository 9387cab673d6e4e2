/** Assembles the tool calls of a streamed turn: each arrives in pieces, and the pieces of several may interleave. */
import type { ToolCall } from "../model.ts";

export type ToolCallDelta = {
  readonly index?: number;
  readonly id?: string | null;
  readonly function?: { readonly name?: string | null; readonly arguments?: string | null };
};

export function createToolCallCollector() {
  const calls: { index: number; id: string; name: string; arguments: string }[] = [];
  return {
    add({ index = calls.length, id, function: piece }: ToolCallDelta): void {
      let call = calls.findLast((candidate) => candidate.index === index);
      // Some providers send index 0 for every call, so a new id begins a new call.
      if (call === undefined || (id && call.id !== "" && call.id !== id)) {
        call = { index, id: "", name: "", arguments: "" };
        calls.push(call);
      }
      if (id) call.id = id;
      call.name += piece?.name ?? "";
      call.arguments += piece?.arguments ?? "";
    },

    /** The calls in the order in which they began; a call without an id gets one. */
    calls: (): ToolCall[] =>
      calls.map(({ id, name, arguments: args }, at) => ({ id: id || `call_${at}`, name, arguments: args })),
  };
}
