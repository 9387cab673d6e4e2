/** Whether a request may bring tools of its client, and results of their calls. */
import type { ClientTool, ToolChoice, ToolResult } from "@agent-paas/shared/contract/client-tools.ts";
import { callsOf, findRefusal } from "@agent-paas/shared/db/open-turns.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { Services } from "../services.ts";

/** Fields of a request, checked. */
export type ClientToolRequest = {
  /** The tools that the client runs. Default: none. */
  readonly tools?: readonly ClientTool[] | undefined;
  readonly toolChoice?: ToolChoice | undefined;
  /** The results of calls with which the session's latest job ended. Default: none. */
  readonly toolResults?: readonly ToolResult[] | undefined;
  /** The session that the request names, or null. */
  readonly sessionId: string | null;
};

export type ClientToolServices = {
  readonly sessions: Pick<Services["sessions"], "openTurns">;
  readonly sessionQueues: Pick<Services["sessionQueues"], "isIdle">;
};

/** Throws what the request alone deserves. `agent`: as its workers offer it. */
export function assertClientTools(
  { tools = [], toolChoice, toolResults = [], sessionId }: ClientToolRequest,
  agent: { readonly tools: readonly string[]; readonly client_tools: boolean },
): void {
  if (tools.length + toolResults.length > 0 && !agent.client_tools) {
    throw new PlatformError("client_tools_unsupported", { param: tools.length > 0 ? "tools" : "tool_results" });
  }
  if (toolResults.length > 0 && sessionId === null) {
    const message = "session_id: is required with tool_results: the session that made the calls";
    throw new PlatformError("invalid_request", { message, param: "session_id" });
  }
  // Tools of former requests count, too, when their calls are answered.
  if (typeof toolChoice !== "object" || toolResults.length > 0) return;
  const isKnown = [...tools.map(({ name }) => name), ...agent.tools].includes(toolChoice.name);
  if (isKnown) return;
  const message = `tool_choice: there is no tool "${toolChoice.name}"`;
  throw new PlatformError("invalid_request", { message, param: "tool_choice.name" });
}

/** Those of the results whose calls the session waits for: clients send former ones again with what is new. */
export async function openResults(
  { sessions }: Pick<ClientToolServices, "sessions">,
  owner: string,
  sessionId: string,
  results: readonly ToolResult[],
): Promise<readonly ToolResult[]> {
  if (results.length === 0) return [];
  const { turns, isOver } = await sessions.openTurns(owner, sessionId);
  const [newest] = turns;
  const open = newest === undefined || isOver ? [] : callsOf(newest.open_turn).map(({ call_id }) => call_id);
  return results.filter(({ call_id }) => open.includes(call_id));
}

/**
 * Why the results are none that the session waits for; null also where a worker must decide, because the session has a
 * job that may yet make the calls, or answer them. `isNew`: the request begins the session.
 */
export async function refusalOfResults(
  { sessions, sessionQueues }: ClientToolServices,
  owner: string,
  { toolResults = [], sessionId }: ClientToolRequest,
  isNew: boolean,
): Promise<PlatformError | null> {
  if (toolResults.length === 0 || sessionId === null) return null;
  if (isNew) return findRefusal(toolResults, [], false);
  // Before the database: a job leaves the queue when its end is written.
  if (!(await sessionQueues.isIdle(sessionId))) return null;
  const { turns, isOver } = await sessions.openTurns(owner, sessionId);
  return findRefusal(toolResults, turns, isOver);
}
