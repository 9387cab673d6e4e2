/** What is kept of a job to run it again. */
import { type JobInputs, type JobPayload, queueOf } from "@agent-paas/shared/contract/jobs.ts";
import { wellFormedJson } from "@agent-paas/shared/text.ts";

/** Null: the job is none that is run again. */
export function encodeInputs(payload: JobPayload): string | null {
  if (queueOf(payload) !== "execute" || payload.tool_results !== undefined) return null;
  const { begins_session, input, history, tools, tool_choice, config, limits } = payload;
  const inputs: JobInputs = { begins_session, input, history, tools, tool_choice, config, limits };
  return wellFormedJson(JSON.stringify(inputs));
}
