/** What the request of a response gave, whether its job waits in its queue, runs or has ended. */
import type { GivenMessage } from "@agent-paas/shared/contract/given-messages.ts";
import type { JobPayload } from "@agent-paas/shared/contract/jobs.ts";
import type { MessageRow } from "@agent-paas/shared/db/rows.ts";
import type { FindJobServices } from "../../../jobs/find-job.ts";
import type { Services } from "../../../services.ts";
import { MAX_RESULTS } from "../../../validation/client-tools.ts";
import { asMessages, isCall } from "./earlier-turns.ts";
import { type FoundResponse, findResponse } from "./read-response.ts";

type GivenServices = FindJobServices & { readonly sessions: Pick<Services["sessions"], "messages" | "parts"> };

/** Oldest first. */
export async function givenMessages(
  services: GivenServices,
  owner: string,
  { jobId, job, kept }: FoundResponse,
): Promise<GivenMessage[]> {
  const earlier = kept?.earlier ?? [];
  if (job.in === "database") return [...earlier, ...(await storedWith(services, owner, job.row))];
  const given = await services.queuedJobs.given(owner, jobId);
  if (given !== null) return [...earlier, ...queuedWith(given)];
  // The job has started since it was found.
  return givenMessages(services, owner, await findResponse(services, owner, jobId));
}

type Given = Pick<JobPayload, "text" | "parts" | "tool_results">;

function queuedWith({ text: content, parts, tool_results = [] }: Given): GivenMessage[] {
  const results = tool_results.map((result) => ({ role: "tool" as const, ...result }));
  if (parts === undefined && content === "") return results;
  return [...results, { role: "user", content, ...(parts === undefined ? {} : { parts }) }];
}

type Row = { readonly id: string; readonly session_id: string | null; readonly task: string };

async function storedWith(
  { sessions }: GivenServices,
  owner: string,
  { id, session_id, task }: Row,
): Promise<GivenMessage[]> {
  if (session_id === null) return task === "" ? [] : [{ role: "user", content: task }];
  const page = { limit: MAX_RESULTS + 1, after: null, ofJob: id, tools: true };
  const rows = (await sessions.messages(owner, session_id, page)).filter(isGiven);
  const parts = await sessions.parts([id]);
  return asMessages(rows, new Map(parts.map((row) => [row.job_id, JSON.parse(row.parts)])));
}

/** Not what the job itself has called and said. */
const isGiven = (row: MessageRow): boolean => row.role === "user" || (row.role === "tool" && !isCall(row));
