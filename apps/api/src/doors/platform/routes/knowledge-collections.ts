/** GET /knowledge, GET and DELETE /knowledge/{collection}. The first document of a collection creates it. */
import { CollectionNameSchema } from "@agent-paas/shared/contract/knowledge.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import { z } from "zod";
import type { Route } from "../../../http/door.ts";
import { originOf } from "../../../http/job-headers.ts";
import { jsonResponse } from "../../../http/operation.ts";
import { ACCEPT_ERRORS, JOB_ERRORS } from "../../../http/route-errors.ts";
import { findJobStatus } from "../../../jobs/find-job.ts";
import { acceptKnowledgeJob, findCollection } from "../../../jobs/knowledge-jobs.ts";
import type { Services } from "../../../services.ts";
import type { CountedCollection } from "../../../storage/knowledge-reader.ts";
import { awaitResult, collectionName, deletionResponses, SYSTEM_JOB_HEADERS, sendAccepted } from "../knowledge-job.ts";

/** How long a DELETE waits for the worker that carries it out. */
export const DELETE_WAIT_MS = 10 * SECOND;

const CollectionSchema = z
  .object({
    name: CollectionNameSchema,
    embedding: z.string().describe("The name of the embedding that embedded all its documents."),
    documents: z.int(),
    chunks: z.int(),
    created_at: z.iso.datetime(),
  })
  .meta({ id: "Collection" });

const CollectionListSchema = z.object({ collections: z.array(CollectionSchema) });

const view = ({
  name,
  embedding,
  documents,
  chunks,
  created_at,
}: CountedCollection): z.infer<typeof CollectionSchema> => ({
  name,
  embedding,
  documents,
  chunks,
  created_at,
});

export const listCollections = ({ knowledge }: Services): Route => ({
  method: "get",
  path: "/knowledge",
  access: "key",
  operation: {
    id: "listCollections",
    tag: "Knowledge",
    summary: "List collections",
    responses: { 200: jsonResponse("The collections.", CollectionListSchema) },
    errors: ["database_unavailable"],
  },
  async handle(_req, res, { owner }) {
    res.json({ collections: (await knowledge.collections(owner)).map(view) });
  },
});

export const getCollection = ({ knowledge }: Services): Route => ({
  method: "get",
  path: "/knowledge/:collection",
  access: "key",
  operation: {
    id: "getCollection",
    tag: "Knowledge",
    summary: "Get a collection",
    params: { collection: CollectionNameSchema },
    responses: { 200: jsonResponse("The collection.", CollectionSchema) },
    errors: ["database_unavailable", "collection_not_found"],
  },
  async handle(req, res, { owner }) {
    const collection = await knowledge.counted(owner, collectionName(req.params));
    if (collection === undefined) throw new PlatformError("collection_not_found");
    res.json(view(collection));
  },
});

/** Deletes the documents too. 204 once deleted; 202 if the deletion is still pending. */
export const deleteCollection = (services: Services): Route => ({
  method: "delete",
  path: "/knowledge/:collection",
  access: "key",
  operation: {
    id: "deleteCollection",
    tag: "Knowledge",
    summary: "Delete a collection with its documents",
    params: { collection: CollectionNameSchema },
    headers: SYSTEM_JOB_HEADERS,
    responses: deletionResponses("The collection is deleted."),
    errors: [...ACCEPT_ERRORS, "collection_not_found", ...JOB_ERRORS],
  },
  async handle(req, res, caller) {
    const { id, name } = await findCollection(services, caller.owner, collectionName(req.params));
    const { jobId } = await acceptKnowledgeJob(services, originOf(req, caller), {
      systemJob: "knowledge.delete_collection",
      input: { collection_id: id },
      text: `Delete the collection ${name}`,
    });
    const deleted = await awaitResult(services, res, caller, jobId, DELETE_WAIT_MS);
    if (deleted?.status === "completed") res.status(204).end();
    else sendAccepted(res, jobId, await findJobStatus(services, caller.owner, jobId));
  },
});
