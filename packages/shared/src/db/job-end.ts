import { type JobEvent, terminalEvents } from "../contract/events.ts";
import { isTerminal, type JobResult } from "../contract/jobs.ts";
import { parseJson } from "../json/exact-json.ts";
import type { JobRow } from "./rows.ts";

/** The terminal events of a job, rebuilt from its row. Throws when the job has not ended. */
export function endEventsOf(row: JobRow): JobEvent[] {
  const { id: job_id, session_id, status, error_code, error_message } = row;
  if (!isTerminal(status)) throw new Error(`job ${job_id} has not ended`);
  const usage = row.usage === null ? null : JSON.parse(row.usage);
  const error = error_code === null ? null : { code: error_code, message: error_message ?? "" };
  const { citations = null, finish_reason = null, tool_calls = null, data } = resultOfRow(row);
  return terminalEvents({ job_id, session_id, status, usage, finish_reason, error, citations, tool_calls, data });
}

/** Results that versions before 0.2.0 wrote do not say how the answer ended. */
export const resultOfRow = (row: Pick<JobRow, "result">): JobResult =>
  row.result === null ? { content: "" } : (parseJson(row.result) as JobResult);
