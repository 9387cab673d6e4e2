/** What the knowledge routes share: path parameters, the wait for a system job, and the 202 of one that goes on. */

import type { JobStatus } from "@agent-paas/shared/contract/jobs.ts";
import { CollectionNameSchema } from "@agent-paas/shared/contract/knowledge.ts";
import type { JobRow } from "@agent-paas/shared/db/rows.ts";
import type { Response } from "express";
import type { z } from "zod";
import { abortOnClose } from "../../http/abort-on-close.ts";
import type { Caller } from "../../http/door.ts";
import { jsonResponse, type Operation, type OperationResponse } from "../../http/operation.ts";
import { awaitKnowledgeJob } from "../../jobs/knowledge-jobs.ts";
import type { Services } from "../../services.ts";
import { validate } from "../../validation/validate.ts";
import { AcceptedJobSchema, jobLinks } from "./job-view.ts";

/** What requests that start system jobs may have. */
export const SYSTEM_JOB_HEADERS = ["Accept-Language", "traceparent"] as const;

export const acceptedResponse = (description: string, schema: z.ZodType = AcceptedJobSchema): OperationResponse =>
  jsonResponse(description, schema, "X-Job-Id", "Location");

export const deletionResponses = (description: string): Operation["responses"] => ({
  204: { description, headers: ["X-Job-Id"] },
  202: acceptedResponse("The deletion goes on as a job."),
});

export const collectionName = (params: Record<string, unknown>): string =>
  validate(CollectionNameSchema, params.collection, ["collection"]);

/** The row of the ended job; null when the job has not ended in time. Throws the error of a failed job. */
export function awaitResult(
  services: Services,
  res: Response,
  { owner }: Caller,
  jobId: string,
  withinMs: number,
): Promise<JobRow | null> {
  res.setHeader("X-Job-Id", jobId);
  return awaitKnowledgeJob(services, { owner, jobId, withinMs, signal: abortOnClose(res) });
}

/** 202: the job is accepted, or has not ended yet. */
export function sendAccepted(res: Response, jobId: string, status: JobStatus, more: object = {}): void {
  const links = jobLinks(jobId);
  res.status(202).set({ Location: links.self, "X-Job-Id": jobId });
  res.json({ job_id: jobId, ...more, status, links });
}
