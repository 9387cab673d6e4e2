/** POST and GET /knowledge/{collection}/documents, GET and DELETE /knowledge/{collection}/documents/{id}. */

import { createHash } from "node:crypto";
import { documentIdOf } from "@agent-paas/shared/contract/knowledge.ts";
import type { DocumentRow } from "@agent-paas/shared/db/rows.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { parseJson } from "@agent-paas/shared/json/exact-json.ts";
import type { ApiConfig } from "../../../config.ts";
import type { Route } from "../../../http/door.ts";
import { originOf, readIdempotency } from "../../../http/job-headers.ts";
import { findJobStatus } from "../../../jobs/find-job.ts";
import { acceptKnowledgeJob, findCollection } from "../../../jobs/knowledge-jobs.ts";
import { assertWithinShares } from "../../../jobs/knowledge-share.ts";
import type { Services } from "../../../services.ts";
import { pageQuery, pathId, validate } from "../../../validation/validate.ts";
import { createDocumentParser, type DocumentSizes, readDocument } from "../knowledge-document-body.ts";
import { awaitResult, collectionName, sendAccepted } from "../knowledge-job.ts";
import { DELETE_WAIT_MS } from "./knowledge-collections.ts";

/** The source of a document without one: derived from its content, so the same content is the same document. */
const nameOf = (bytes: Buffer) => `text-${createHash("sha256").update(bytes).digest("hex").slice(0, 12)}`;

const sizesOf = (config: Pick<ApiConfig, "MAX_DOCUMENT_BYTES" | "MAX_FILE_BYTES">): DocumentSizes => ({
  text: config.MAX_DOCUMENT_BYTES,
  file: config.MAX_FILE_BYTES,
});

export const postDocument = (services: Services): Route => ({
  method: "post",
  path: "/knowledge/:collection/documents",
  access: "key",
  bodyParser: (config) => createDocumentParser(sizesOf(config)),
  async handle(req, res, caller) {
    const collection = collectionName(req.params);
    const { bytes, format, charset, metadata, ...given } = readDocument(req.body, sizesOf(services.config));
    const source = given.source ?? nameOf(bytes);
    const documentId = documentIdOf(caller.owner, collection, source);
    const idempotency = readIdempotency(req);
    // A repeated request joins its job, whatever the owner has by now; the worker refuses a new one.
    if (idempotency === null) {
      await assertWithinShares(services, { owner: caller.owner, collection, documentId });
    }
    const { jobId, isNew } = await acceptKnowledgeJob(services, originOf(req, caller), {
      systemJob: "knowledge.ingest",
      input: { collection, document_id: documentId, source, format, metadata, charset },
      text: `Store ${source} in ${collection}`,
      upload: bytes,
      idempotency,
    });
    const status = isNew ? "queued" : await findJobStatus(services, caller.owner, jobId);
    sendAccepted(res, jobId, status, { document_id: documentId });
  },
});

const view = (row: DocumentRow) => ({
  id: row.id,
  source: row.source,
  format: row.format,
  version: row.version,
  bytes: row.bytes,
  chunks: row.chunks,
  metadata: parseJson(row.metadata),
  job_id: row.job_id,
  created_at: row.created_at,
  updated_at: row.updated_at,
});

export const listDocuments = (services: Services): Route => ({
  method: "get",
  path: "/knowledge/:collection/documents",
  access: "key",
  async handle(req, res, { owner }) {
    const { limit, before } = validate(pageQuery(200, 50), req.query);
    const { id, name } = await findCollection(services, owner, collectionName(req.params));
    const rows = await services.knowledge.documents(owner, id, { limit, before });
    const next = rows.length === limit ? (rows.at(-1)?.id ?? null) : null;
    res.json({ collection: name, documents: rows.map(view), next });
  },
});

export const getDocument = (services: Services): Route => ({
  method: "get",
  path: "/knowledge/:collection/documents/:id",
  access: "key",
  async handle(req, res, { owner }) {
    res.json(view(await findDocument(services, owner, req.params)));
  },
});

/**
 * Also deletes a document that is being stored; the job that stores it then fails. 204 once deleted; 202 if the
 * deletion is still pending.
 */
export const deleteDocument = (services: Services): Route => ({
  method: "delete",
  path: "/knowledge/:collection/documents/:id",
  access: "key",
  async handle(req, res, caller) {
    const id = pathId(req.params);
    const name = collectionName(req.params);
    const { id: collectionId } = await findCollection(services, caller.owner, name);
    const { knowledge } = services;
    const exists =
      (await knowledge.isBeingStored(caller.owner, collectionId, id)) ||
      (await knowledge.document(caller.owner, collectionId, id)) !== undefined;
    if (!exists) throw new PlatformError("document_not_found");
    const { jobId } = await acceptKnowledgeJob(services, originOf(req, caller), {
      systemJob: "knowledge.delete_document",
      input: { collection_id: collectionId, document_id: id },
      text: `Delete ${id} from ${name}`,
    });
    const deleted = await awaitResult(services, res, caller, jobId, DELETE_WAIT_MS);
    if (deleted?.status === "completed") res.status(204).end();
    else sendAccepted(res, jobId, await findJobStatus(services, caller.owner, jobId));
  },
});

/** Throws `collection_not_found` or `document_not_found`, also for a collection or document of another owner (I8). */
async function findDocument(services: Services, owner: string, params: Record<string, unknown>): Promise<DocumentRow> {
  const documentId = pathId(params);
  const { id } = await findCollection(services, owner, collectionName(params));
  const document = await services.knowledge.document(owner, id, documentId);
  if (document === undefined) throw new PlatformError("document_not_found");
  return document;
}
