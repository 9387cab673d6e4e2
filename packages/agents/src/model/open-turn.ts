/** The calls of a model turn that have no result: its client makes them. */
import type { ClientCall } from "@agent-paas/shared/contract/client-tools.ts";
import { z } from "zod";
import type { ModelMessage, ToolCall } from "./model.ts";

const TurnSchema = z.array(
  z.discriminatedUnion("role", [
    z.looseObject({
      role: z.literal("assistant"),
      content: z.string(),
      toolCalls: z.array(z.looseObject({ id: z.string(), name: z.string(), arguments: z.string() })).optional(),
      reasoning: z.string().optional(),
    }),
    z.looseObject({ role: z.literal("tool"), callId: z.string(), content: z.string() }),
  ]),
);

/** Throws a `TypeError` for what is no turn: plugins are not type-checked. */
export function assertTurn(value: readonly ModelMessage[]): void {
  const { error } = TurnSchema.safeParse(value);
  if (error !== undefined) throw new TypeError("The agent returned an `openTurn` that is no turn", { cause: error });
}

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
