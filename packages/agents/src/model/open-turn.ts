/** The calls of a model turn that have no result: its client makes them. */
import type { ClientCall } from "@agent-paas/shared/contract/client-tools.ts";
import type { ModelMessage, ToolCall } from "./model.ts";

/** `turn`: the assistant's message, and results of its calls. */
export function openCallsOf(turn: readonly ModelMessage[]): readonly ToolCall[] {
  const [message, ...results] = turn;
  if (message?.role !== "assistant") return [];
  const finished = new Set(results.map((result) => (result.role === "tool" ? result.callId : null)));
  return (message.toolCalls ?? []).filter(({ id }) => !finished.has(id));
}

/** Empty arguments, which some providers send, are no JSON. */
export const toClientCall = ({ id, name, arguments: args }: ToolCall): ClientCall => ({
  call_id: id,
  name,
  arguments: args.trim() === "" ? "{}" : args,
});
