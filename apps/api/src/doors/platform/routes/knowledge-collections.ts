/** GET /knowledge, GET and DELETE /knowledge/{collection}. The first document of a collection creates it. */
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import type { Route } from "../../../http/door.ts";
import { originOf } from "../../../http/job-headers.ts";
import { findJobStatus } from "../../../jobs/find-job.ts";
import { acceptKnowledgeJob, findCollection } from "../../../jobs/knowledge-jobs.ts";
import type { Services } from "../../../services.ts";
import type { CountedCollection } from "../../../storage/knowledge-reader.ts";
import { awaitResult, collectionName, sendAccepted } from "../knowledge-job.ts";

/** How long a DELETE waits for the worker that carries it out. */
export const DELETE_WAIT_MS = 10 * SECOND;

const view = ({ name, embedding, documents, chunks, created_at }: CountedCollection) => ({
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
  async handle(_req, res, { owner }) {
    res.json({ collections: (await knowledge.collections(owner)).map(view) });
  },
});

export const getCollection = ({ knowledge }: Services): Route => ({
  method: "get",
  path: "/knowledge/:collection",
  access: "key",
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
