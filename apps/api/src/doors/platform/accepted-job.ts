/** The 202 of a route that starts a job of an agent. */
import type { Response } from "express";
import { jsonResponse } from "../../http/operation.ts";
import { findJobStatus } from "../../jobs/find-job.ts";
import type { Accepted } from "../../queue/accept-request.ts";
import type { Services } from "../../services.ts";
import { AcceptedAgentJobSchema, jobLinks } from "./job-view.ts";

export const ACCEPTED = jsonResponse(
  "The job is accepted.",
  AcceptedAgentJobSchema,
  ...(["X-Job-Id", "X-Session-Id", "Location"] as const),
);

export async function sendAccepted(
  res: Response,
  services: Services,
  owner: string,
  { isNew, jobId, sessionId }: Accepted,
): Promise<void> {
  const links = jobLinks(jobId);
  res.status(202).set({ Location: links.self, "X-Job-Id": jobId });
  if (sessionId !== null) res.setHeader("X-Session-Id", sessionId);
  const status = isNew ? "queued" : await findJobStatus(services, owner, jobId);
  res.json({ job_id: jobId, session_id: sessionId, status, links });
}
