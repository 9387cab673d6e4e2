/** Whether the calls of a conversation and their results belong together, as providers want it. */
import type { GivenMessage } from "@agent-paas/shared/contract/given-messages.ts";

export type Unpaired = {
  /** A call without a result before the conversation goes on, or a result without a call right before it. */
  readonly what: "call" | "result";
  readonly callId: string;
  /** The place of the message that has it. */
  readonly at: number;
};

/** The first one; null for none. Instructions may stand anywhere: models get them in front of all. */
export function findUnpaired(messages: readonly GivenMessage[]): Unpaired | null {
  const open = new Set<string>();
  let caller = 0;

  function unanswered(): Unpaired | null {
    const [callId] = open;
    return callId === undefined ? null : { what: "call", callId, at: caller };
  }

  for (const [at, message] of messages.entries()) {
    if (message.role === "system") continue;
    if (message.role === "tool") {
      if (!open.delete(message.call_id)) return { what: "result", callId: message.call_id, at };
      continue;
    }
    if (open.size > 0) return unanswered();
    const calls = message.role === "assistant" ? message.tool_calls : undefined;
    for (const { id } of calls ?? []) open.add(id);
    caller = at;
  }
  return unanswered();
}
