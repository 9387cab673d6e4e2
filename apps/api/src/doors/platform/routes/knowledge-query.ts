/** POST /knowledge/{collection}/query: the passages of a collection that are nearest to a text. */

import { CollectionNameSchema, MAX_TOP_K, PassageSchema } from "@agent-paas/shared/contract/knowledge.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import { z } from "zod";
import type { Route } from "../../../http/door.ts";
import { originOf } from "../../../http/job-headers.ts";
import { asJson, jsonResponse } from "../../../http/operation.ts";
import { ACCEPT_ERRORS, JOB_ERRORS } from "../../../http/route-errors.ts";
import { findJobStatus } from "../../../jobs/find-job.ts";
import { acceptKnowledgeJob, findCollection } from "../../../jobs/knowledge-jobs.ts";
import type { Services } from "../../../services.ts";
import { TextSchema } from "../../../validation/text.ts";
import { bodySchema, validate } from "../../../validation/validate.ts";
import { acceptedResponse, awaitResult, collectionName, SYSTEM_JOB_HEADERS, sendAccepted } from "../knowledge-job.ts";

/** How long the request waits for the passages; later they are in the job's result. */
const QUERY_WAIT_MS = 30 * SECOND;

const QueryRequestSchema = bodySchema({
  query: TextSchema,
  top_k: z.int().min(1).max(MAX_TOP_K).default(5),
  min_score: z.number().min(0).max(1).default(0),
}).meta({ examples: [{ query: "How long is the warranty?", top_k: 3 }] });

const FoundPassagesSchema = z.object({
  collection: CollectionNameSchema,
  embedding: z.string().describe("The name of the embedding that the search went by."),
  passages: z.array(PassageSchema),
});

export const postKnowledgeQuery = (services: Services): Route => ({
  method: "post",
  path: "/knowledge/:collection/query",
  access: "key",
  operation: {
    id: "queryCollection",
    tag: "Knowledge",
    summary: "Find the passages that are nearest to a text",
    params: { collection: CollectionNameSchema },
    headers: SYSTEM_JOB_HEADERS,
    body: asJson(QueryRequestSchema),
    responses: {
      200: jsonResponse("The passages, the best first.", FoundPassagesSchema, "X-Job-Id"),
      202: acceptedResponse("The search goes on as a job; its result has the passages."),
    },
    errors: [...ACCEPT_ERRORS, "collection_not_found", ...JOB_ERRORS],
  },
  async handle(req, res, caller) {
    const body = validate(QueryRequestSchema, req.body);
    const { name } = await findCollection(services, caller.owner, collectionName(req.params));
    const { jobId } = await acceptKnowledgeJob(services, originOf(req, caller), {
      systemJob: "knowledge.query",
      input: { collection: name, ...body },
      text: `Search in ${name}`,
    });
    const row = await awaitResult(services, res, caller, jobId, QUERY_WAIT_MS);
    if (row?.status === "completed") res.json({ collection: name, ...JSON.parse(row.result ?? "{}").data });
    else sendAccepted(res, jobId, await findJobStatus(services, caller.owner, jobId));
  },
});
