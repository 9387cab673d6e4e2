/**
 * Open turns: model turns of a session that called tools of the client, with which their jobs ended. They stand with
 * the assistant's message. Workers go on with them, and the API tells early what a worker would refuse.
 */
import { z } from "zod";
import { type ClientCall, ClientCallSchema, type ToolResult } from "../contract/client-tools.ts";
import type { TerminalStatus } from "../contract/jobs.ts";
import { PlatformError } from "../errors/platform-error.ts";
import type { Table } from "./queries.ts";

/** What everybody may read of an open turn. */
export const OpenTurnSchema = z.object({ calls: z.array(ClientCallSchema) });

export type StoredOpenTurn = { readonly ordinal: number; readonly open_turn: string };

/** How far back a call is looked for in order to tell what is wrong with a result. */
const LATEST = 10;

/** Newest first. */
export const latestOpenTurns = async (table: Table, sessionId: string): Promise<StoredOpenTurn[]> =>
  (await table("messages")
    .where({ session_id: sessionId })
    .whereNotNull("open_turn")
    .orderBy("ordinal", "desc")
    .limit(LATEST)
    .select("ordinal", "open_turn")) as StoredOpenTurn[];

/** What jobs end with that take no call's answer, and from which no turn goes on. */
export const DROPPED = ["failed", "cancelled"] as const satisfies readonly TerminalStatus[];

export const droppedJobs = (table: Table, sessionId: string) =>
  table("agent_logs").where({ session_id: sessionId }).whereIn("status", DROPPED).select("id");

/**
 * Whether the session went on after the message.
 * @param jobId the job that asks; its messages do not count.
 */
export async function hasGoneOn(table: Table, sessionId: string, ordinal: number, jobId?: string): Promise<boolean> {
  const later = table("messages").where({ session_id: sessionId }).where("ordinal", ">", ordinal);
  if (jobId !== undefined) later.whereNot({ job_id: jobId });
  return (await later.whereNotIn("job_id", droppedJobs(table, sessionId)).first("id")) !== undefined;
}

/** The client's calls of an open turn as it is stored. */
export const callsOf = (openTurn: string): ClientCall[] => OpenTurnSchema.parse(JSON.parse(openTurn)).calls;

/**
 * Null: the results answer calls of the newest turn. `turns`: newest first; `isOver`: the session went on after the
 * newest.
 */
export function findRefusal(
  results: readonly ToolResult[],
  turns: readonly StoredOpenTurn[],
  isOver: boolean,
): PlatformError | null {
  const [newest, ...older] = turns;
  const idsOf = (turn: StoredOpenTurn) => callsOf(turn.open_turn).map(({ call_id }) => call_id);
  const open = new Set(newest === undefined ? [] : idsOf(newest));
  const at = results.findIndex(({ call_id }) => isOver || !open.has(call_id));
  const result = results[at];
  if (result === undefined) return null;
  const isKnown = open.has(result.call_id) || older.flatMap(idsOf).includes(result.call_id);
  const code = isKnown ? "tool_call_answered" : "tool_call_not_found";
  return new PlatformError(code, { param: `tool_results.${at}.call_id` });
}
