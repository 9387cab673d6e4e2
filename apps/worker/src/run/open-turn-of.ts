/** The turn that a run has ended with because the client is to make calls. */
import type { ModelMessage } from "@agent-paas/agents/model/model.ts";
import { openCallsOf, toClientCall } from "@agent-paas/agents/model/open-turn.ts";
import type { ClientTool } from "@agent-paas/shared/contract/client-tools.ts";
import type { OpenTurn } from "../storage/open-turn.ts";
import type { FinishedCalls } from "./finished-calls.ts";

/** Null: none. `messages`: as the agent returned them, a plugin perhaps others than it should. */
export function openTurnOf(
  messages: readonly ModelMessage[] | null,
  tools: readonly ClientTool[],
  finished: FinishedCalls,
): OpenTurn | null {
  const [message] = messages ?? [];
  if (messages === null || message?.role !== "assistant") return null;
  const calls = openCallsOf(messages).map(toClientCall);
  return calls.length === 0 ? null : { calls, turn: finished.noteOpenTurn(messages), message, tools };
}
