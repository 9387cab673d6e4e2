/** POST and GET /knowledge/{collection}/documents, GET and DELETE /knowledge/{collection}/documents/{id}. */
import { createHash } from "node:crypto";
import { documentIdOf } from "@agent-paas/shared/contract/knowledge.ts";
import type { DocumentRow } from "@agent-paas/shared/db/rows.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { Route } from "../../../http/route.ts";
import { pageQuery, pathId, validate } from "../../../http/validate.ts";
import { readIdempotency } from "../../../jobs/accept-job.ts";
import type { Services } from "../../../services.ts";
import { createDocumentParser, readDocument } from "../knowledge-document-body.ts";
import {
  acceptKnowledgeJob,
  answerAccepted,
  awaitKnowledgeJob,
  collectionName,
  findCollection,
  statusOfKnowledgeJob,
} from "../knowledge-job.ts";
import { DELETE_WAIT_MS } from "./knowledge-collections.ts";

/** A text without a name is known by its content. */
const nameOf = (text: string) => `text-${createHash("sha256").update(text).digest("hex").slice(0, 12)}`;

export const postDocument = (services: Services): Route => ({
  method: "post",
  path: "/knowledge/:collection/documents",
  access: "key",
  bodyParser: ({ MAX_DOCUMENT_BYTES }) => createDocumentParser(MAX_DOCUMENT_BYTES),
  async handle(req, res, caller) {
    const collection = collectionName(req.params);
    const { text, format, metadata, ...given } = readDocument(req.body, services.config.MAX_DOCUMENT_BYTES);
    const source = given.source ?? nameOf(text);
    const documentId = documentIdOf(caller.owner, collection, source);
    const { jobId, isNew } = await acceptKnowledgeJob(services, req, caller, {
      task: "knowledge.ingest",
      input: { collection, document_id: documentId, source, format, metadata },
      text: `Store ${source} in ${collection}`,
      upload: text,
      idempotency: readIdempotency(req),
    });
    const status = isNew ? "queued" : await statusOfKnowledgeJob(services, caller, jobId);
    answerAccepted(res, jobId, status, { document_id: documentId });
  },
});

const view = (row: DocumentRow) => ({
  id: row.id,
  source: row.source,
  format: row.format,
  version: row.version,
  bytes: row.bytes,
  chunks: row.chunks,
  metadata: JSON.parse(row.metadata),
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
    const { id, name } = await findCollection(services, owner, req.params);
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

/** Also of one that is being stored: that job then fails. 204 when it is gone; 202 when no worker has come to it yet. */
export const deleteDocument = (services: Services): Route => ({
  method: "delete",
  path: "/knowledge/:collection/documents/:id",
  access: "key",
  async handle(req, res, caller) {
    const id = pathId(req.params);
    const { id: collectionId } = await findCollection(services, caller.owner, req.params);
    const { knowledge } = services;
    const isThere =
      (await knowledge.isBeingStored(caller.owner, collectionId, id)) ||
      (await knowledge.document(caller.owner, collectionId, id)) !== undefined;
    if (!isThere) throw new PlatformError("document_not_found");
    const { jobId } = await acceptKnowledgeJob(services, req, caller, {
      task: "knowledge.delete_document",
      input: { collection_id: collectionId, document_id: id },
      text: `Delete ${id} from ${collectionName(req.params)}`,
    });
    const deleted = await awaitKnowledgeJob(services, res, caller, jobId, DELETE_WAIT_MS);
    if (deleted?.status === "completed") res.status(204).end();
    else answerAccepted(res, jobId, await statusOfKnowledgeJob(services, caller, jobId));
  },
});

/** Throws `collection_not_found` or `document_not_found`, the same for what is another's (I8). */
async function findDocument(services: Services, owner: string, params: Record<string, unknown>): Promise<DocumentRow> {
  const documentId = pathId(params);
  const { id } = await findCollection(services, owner, params);
  const document = await services.knowledge.document(owner, id, documentId);
  if (document === undefined) throw new PlatformError("document_not_found");
  return document;
}
