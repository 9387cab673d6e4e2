/** The turn that a job goes on with: its request brings results of the calls with which an earlier job ended. */
import type { ModelMessage } from "@agent-paas/agents/model/model.ts";
import type { ClientTool } from "@agent-paas/shared/contract/client-tools.ts";
import type { JobPayload } from "@agent-paas/shared/contract/jobs.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { SessionRepository } from "../storage/session-repository.ts";
import { asHistory, partsOf } from "./history.ts";

export type ContinuedTurn = {
  /** The ordinal of its first message: the history ends before it. */
  readonly from: number;
  /** From the question to the results. */
  readonly messages: readonly ModelMessage[];
  /** What the client could run then. */
  readonly tools: readonly ClientTool[];
};

/**
 * Null: the request brings no results. Throws `tool_call_not_found` or `tool_call_answered`.
 * @param row resolves when the job's row is written.
 */
export async function continuedTurn(
  payload: JobPayload,
  sessions: SessionRepository,
  row: Promise<unknown>,
): Promise<ContinuedTurn | null> {
  const { session_id: sessionId, job_id: jobId, tool_results: results } = payload;
  if (results === undefined) return null;
  // The turn ends before what the job has brought.
  await row;
  const open = sessionId === null ? null : await sessions.openTurn(sessionId, jobId, results);
  if (open?.refusal) throw open.refusal;
  const newest = open?.rows.findLast(({ open_turn }) => open_turn !== null)?.open_turn;
  if (open === null || !newest) throw new PlatformError("tool_call_not_found");
  return {
    from: open.rows[0]?.ordinal ?? 0,
    messages: asHistory(open.rows, await partsOf(open.rows, sessions), { results, whole: open.whole }),
    tools: newest.tools,
  };
}
