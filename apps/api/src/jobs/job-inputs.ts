/** What an execute job was given, to run it again: from its row and what is kept beside it, or from its queue. */
import { JobInputsSchema, type JobPayload, queueOf } from "@agent-paas/shared/contract/jobs.ts";
import type { MessagePart } from "@agent-paas/shared/contract/message-parts.ts";
import type { JobRow } from "@agent-paas/shared/db/rows.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { parseJson, parseObject } from "@agent-paas/shared/json/exact-json.ts";
import type { Services } from "../services.ts";
import type { JobRequest } from "./accept-job.ts";

type InputServices = Pick<Services, "jobs" | "sessions" | "queuedJobs">;

/** The same request again, in the session that it named. Throws `job_not_found` or `invalid_request`. */
export async function repeatedRequest(services: InputServices, owner: string, id: string): Promise<JobRequest> {
  // Large fields leave the queue with the job's end, and its row is written before: without a row, they were all there.
  const queued = await services.queuedJobs.given(owner, id);
  const row = await services.jobs.find(owner, id);
  if (row !== undefined) return ofRow(services, row);
  if (queued === null) throw new PlatformError("job_not_found");
  assertRepeats(queued);
  if (queued.tool_results !== undefined) throw notKept();
  return requestOf(queued);
}

async function ofRow({ jobs, sessions }: InputServices, row: JobRow): Promise<JobRequest> {
  assertRepeats(row);
  const kept = await jobs.inputs(row.id);
  if (kept === undefined) throw notKept();
  const inputs = JobInputsSchema.parse(parseJson(kept.inputs));
  const [stored] = await sessions.parts([row.id]);
  const parts = stored === undefined ? {} : { parts: JSON.parse(stored.parts) as MessagePart[] };
  const { agent_type, session_id, task: text } = row;
  return requestOf({ ...inputs, ...parts, agent_type, session_id, text, metadata: parseObject(row.metadata ?? "{}") });
}

function requestOf(
  given: Pick<
    JobPayload,
    "agent_type" | "session_id" | "text" | "parts" | "metadata" | keyof typeof JobInputsSchema.shape
  >,
): JobRequest {
  const { agent_type: agentType, text, parts, input, history = [], tools, tool_choice: toolChoice } = given;
  const { config, limits, metadata, begins_session: beginsSession = false } = given;
  return {
    ...{ kind: "execute", agentType, text, parts, input, history, tools, toolChoice, limits, metadata },
    ...{ sessionId: beginsSession ? null : given.session_id, createsSession: false, beginsSession },
    // It has what it inherited.
    ...{ config, inheritsConfig: false, onBusy: "queue" },
  };
}

function assertRepeats(job: Pick<JobPayload, "kind" | "agent_type">): void {
  const queue = queueOf(job);
  if (queue === "chat") {
    throw invalid("the job is a chat: send its message again with replace_from of POST /chat/completions");
  }
  if (queue !== "execute") throw invalid("the job is one of the platform's own");
}

const notKept = () =>
  invalid("the request of the job is not kept: it brought tool_results, or an earlier version has run it");

const invalid = (problem: string) => new PlatformError("invalid_request", { message: `id: ${problem}`, param: "id" });
