/** Puts together the tool calls of a streamed turn: each comes in pieces, several side by side. */
import type { ToolCall } from "./model.ts";

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
      // Some providers give every call the index 0: a new id is a new call.
      if (call === undefined || (id && call.id !== "" && call.id !== id)) {
        call = { index, id: "", name: "", arguments: "" };
        calls.push(call);
      }
      if (id) call.id = id;
      call.name += piece?.name ?? "";
      call.arguments += piece?.arguments ?? "";
    },

    /** In the order in which they began; one without an id gets one. */
    calls: (): ToolCall[] =>
      calls.map(({ id, name, arguments: args }, at) => ({ id: id || `call_${at}`, name, arguments: args })),
  };
}
