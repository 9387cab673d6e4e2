/** GET /knowledge/{collection}/documents/{id}/chunks: the text of a document around a passage, as it was stored. */
import { CollectionNameSchema, DocumentChunksSchema, MAX_CHUNKS } from "@agent-paas/shared/contract/knowledge.ts";
import { IdSchema } from "@agent-paas/shared/ids.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import { z } from "zod";
import type { Route } from "../../../http/door.ts";
import { originOf } from "../../../http/job-headers.ts";
import { jsonResponse } from "../../../http/operation.ts";
import { ACCEPT_ERRORS, JOB_ERRORS } from "../../../http/route-errors.ts";
import { findJobStatus } from "../../../jobs/find-job.ts";
import { acceptKnowledgeJob } from "../../../jobs/knowledge-jobs.ts";
import type { Services } from "../../../services.ts";
import { validate } from "../../../validation/validate.ts";
import { acceptedResponse, awaitResult, collectionName, SYSTEM_JOB_HEADERS, sendAccepted } from "../knowledge-job.ts";
import { findDocument } from "./knowledge-documents.ts";

/** How long the request waits for the chunks; later they are in the job's result. */
const CHUNKS_WAIT_MS = 30 * SECOND;

const ChunksQuerySchema = z.object({
  around: z.coerce.number().int().min(0).default(0).describe("The position in the middle. Default: the beginning."),
  limit: z.coerce.number().int().min(1).max(MAX_CHUNKS).default(5).describe("Most chunks."),
});

export const getDocumentChunks = (services: Services): Route => ({
  method: "get",
  path: "/knowledge/:collection/documents/:id/chunks",
  access: "key",
  operation: {
    id: "getDocumentChunks",
    tag: "Knowledge",
    summary: "The text of a document, around a passage of it",
    params: { collection: CollectionNameSchema, id: IdSchema },
    headers: SYSTEM_JOB_HEADERS,
    query: ChunksQuerySchema,
    responses: {
      200: jsonResponse("The chunks.", DocumentChunksSchema, "X-Job-Id"),
      202: acceptedResponse("Reading goes on as a job; its result has the chunks."),
    },
    errors: [...ACCEPT_ERRORS, "collection_not_found", "document_not_found", ...JOB_ERRORS],
  },
  async handle(req, res, caller) {
    const { around, limit } = validate(ChunksQuerySchema, req.query);
    const found = await findDocument(services, caller.owner, req.params);
    const { id, source, chunks: total, collection_id, copy_id } = found;
    const { jobId } = await acceptKnowledgeJob(services, originOf(req, caller), {
      systemJob: "knowledge.query",
      input: {
        collection_id,
        copy_id,
        document: { document_id: id, source, total },
        from: firstOf(around, limit, total),
        limit,
      },
      text: `Read ${source} in ${collectionName(req.params)}`,
    });
    const row = await awaitResult(services, res, caller, jobId, CHUNKS_WAIT_MS);
    if (row?.status !== "completed")
      return sendAccepted(res, jobId, await findJobStatus(services, caller.owner, jobId));
    res.json(JSON.parse(row.result ?? "{}").data);
  },
});

/** As many as the limit allows, also near the ends of the document. */
const firstOf = (around: number, limit: number, total: number): number =>
  Math.max(0, Math.min(around - Math.floor(limit / 2), total - limit));
