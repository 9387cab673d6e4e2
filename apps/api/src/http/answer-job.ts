/** The two ways to answer a request that has accepted a job: its events as they come, or its end. */
import type { JobRow } from "@agent-paas/shared/db/rows.ts";
import type { Response } from "express";
import { awaitJobEnd } from "../jobs/await-end.ts";
import { endedRowFinder, knownChecker } from "../jobs/find-job.ts";
import type { Accepted } from "../queue/accept-request.ts";
import type { Services } from "../services.ts";
import { abortOnClose } from "./abort-on-close.ts";
import { streamJobEvents } from "./sse-stream.ts";
import type { StreamFormat } from "./stream-format.ts";

const sourcesOf = (services: Services, owner: string, jobId: string) => ({
  findEnded: endedRowFinder(services, owner, jobId),
  isKnown: knownChecker(services, owner, jobId),
});

export function streamAccepted(
  res: Response,
  services: Services,
  format: StreamFormat,
  owner: string,
  { jobId, sessionId, isNew }: Accepted,
): void {
  const sources = sourcesOf(services, owner, jobId);
  streamJobEvents(res, services, format, { jobId, sessionId, after: 0, stage: isNew ? "new" : "open", ...sources });
}

/**
 * The row of the job once it has ended. Null if the request has waited as long as it may, the client has left, this
 * process stops, or the job is lost.
 */
export async function awaitAccepted(
  res: Response,
  services: Services,
  owner: string,
  jobId: string,
): Promise<JobRow | null> {
  const withinMs = services.config.JSON_WAIT_MS;
  const sources = sourcesOf(services, owner, jobId);
  const ended = await awaitJobEnd(services, { jobId, withinMs, signal: abortOnClose(res), ...sources });
  return ended ? sources.findEnded() : null;
}
