/** The response of a job as it stands: of one that has ended, what its stream ended with. */
import { decodeEvents } from "@agent-paas/shared/contract/events.ts";
import { isTerminal } from "@agent-paas/shared/contract/jobs.ts";
import type { JobRow } from "@agent-paas/shared/db/rows.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { parseObject } from "@agent-paas/shared/json/exact-json.ts";
import { replayFromRow } from "../../../events/database-replay.ts";
import type { EventLog } from "../../../events/event-log.ts";
import { type FindJobServices, type FoundJob, findJob, statusOf } from "../../../jobs/find-job.ts";
import type { Services } from "../../../services.ts";
import { type Kept, keptOf, NOTHING_KEPT } from "./kept-request.ts";
import { type Head, headOf, openState, type ResponseObject, type State, secondsOf } from "./response.ts";
import { ResponseTranslation } from "./translation.ts";

export type FoundResponse = {
  readonly jobId: string;
  readonly job: FoundJob;
  /** Null for a job that came through another door. */
  readonly kept: Kept | null;
  readonly head: Head;
};

/** Throws `job_not_found`, also for a job that no agent runs. */
export async function findResponse(services: FindJobServices, owner: string, jobId: string): Promise<FoundResponse> {
  const job = await findJob(services, owner, jobId);
  const { agent_type, request } = job.in === "queue" ? job.payload : job.row;
  // Only the ids of system jobs contain a dot.
  if (agent_type.includes(".")) throw new PlatformError("job_not_found");
  const kept = keptOf(typeof request === "string" ? parseObject(request) : request);
  const metadata = job.in === "queue" ? job.payload.metadata : parseObject(job.row.metadata ?? "{}");
  return { jobId, job, kept, head: headOf(jobId, agent_type, metadata, (kept ?? NOTHING_KEPT).echo) };
}

export async function readResponse(services: Services, found: FoundResponse): Promise<ResponseObject> {
  const { job, head } = found;
  const status = statusOf(job);
  if (job.in === "queue" || !isTerminal(status)) {
    return { ...head, ...openState(status === "queued" ? "queued" : "in_progress") };
  }
  return responseOfRow(services, head, job.row);
}

/** @param row of a job that has ended. */
export async function responseOfRow(
  { events }: Pick<Services, "events">,
  head: Head,
  row: JobRow,
): Promise<ResponseObject> {
  const state = (await stateOfLog(events.log, head, row.id)) ?? stateOf(head, row.id, [replayFromRow(row, 0)]);
  const { finished_at } = row;
  const completed_at = state.status === "completed" && finished_at !== null ? secondsOf(Date.parse(finished_at)) : null;
  return { ...head, ...state, completed_at };
}

/** Batches per read. */
const PAGE = 64;

/** The log has the reasoning, which the row has not. Null if it is gone, or Redis is away. */
async function stateOfLog(log: EventLog, head: Head, jobId: string): Promise<State | null> {
  const batches: Buffer[] = [];
  for (let after = 0; ; ) {
    const page = await log.read(jobId, after, PAGE).catch(() => []);
    batches.push(...page);
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) break;
    after = decodeEvents(last).at(-1)?.seq ?? after;
  }
  const state = stateOf(head, jobId, batches);
  return ["queued", "in_progress"].includes(state.status) ? null : state;
}

function stateOf(head: Head, jobId: string, batches: readonly Buffer[]): State {
  const translation = new ResponseTranslation({ jobId, head, after: -1, send: () => {} });
  for (const batch of batches) for (const event of decodeEvents(batch)) translation.apply(event);
  return translation.state;
}
