/** POST and GET /knowledge/{collection}/documents, GET and DELETE /knowledge/{collection}/documents/{id}. */

import { createHash } from "node:crypto";
import { CollectionNameSchema, DOCUMENT_FORMATS, documentIdOf } from "@agent-paas/shared/contract/knowledge.ts";
import type { DocumentRow } from "@agent-paas/shared/db/rows.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { IdSchema } from "@agent-paas/shared/ids.ts";
import { parseObject } from "@agent-paas/shared/json/exact-json.ts";
import { z } from "zod";
import type { ApiConfig } from "../../../config.ts";
import type { Route } from "../../../http/door.ts";
import { JOB_REQUEST_HEADERS } from "../../../http/headers.ts";
import { originOf, readIdempotency } from "../../../http/job-headers.ts";
import { jsonResponse } from "../../../http/operation.ts";
import { ACCEPT_ERRORS, JOB_ERRORS } from "../../../http/route-errors.ts";
import { findJobStatus } from "../../../jobs/find-job.ts";
import { acceptKnowledgeJob, findCollection } from "../../../jobs/knowledge-jobs.ts";
import { assertWithinShares } from "../../../jobs/knowledge-share.ts";
import type { Services } from "../../../services.ts";
import { pageQuery, pathId, validate } from "../../../validation/validate.ts";
import { AcceptedJobSchema } from "../job-view.ts";
import {
  createDocumentParser,
  DOCUMENT_BODY,
  DOCUMENT_ERRORS,
  type DocumentSizes,
  FileQuerySchema,
  readDocument,
} from "../knowledge-document-body.ts";
import {
  acceptedResponse,
  awaitResult,
  collectionName,
  deletionResponses,
  SYSTEM_JOB_HEADERS,
  sendAccepted,
} from "../knowledge-job.ts";
import { NextPageSchema } from "../response-fields.ts";
import { DELETE_WAIT_MS } from "./knowledge-collections.ts";

/** The source of a document without one: derived from its content, so the same content is the same document. */
const nameOf = (bytes: Buffer) => `text-${createHash("sha256").update(bytes).digest("hex").slice(0, 12)}`;

const sizesOf = (config: Pick<ApiConfig, "MAX_DOCUMENT_BYTES" | "MAX_FILE_BYTES">): DocumentSizes => ({
  text: config.MAX_DOCUMENT_BYTES,
  file: config.MAX_FILE_BYTES,
});

const DocumentSchema = z
  .object({
    id: IdSchema,
    source: z.string().describe("The document's name within the collection."),
    format: z.enum(DOCUMENT_FORMATS),
    version: z.string().describe("A hash of text and format: equal for equal content."),
    bytes: z.int(),
    chunks: z.int(),
    metadata: z.record(z.string(), z.unknown()),
    job_id: IdSchema,
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .meta({ id: "Document" });

const StoringSchema = AcceptedJobSchema.extend({ document_id: IdSchema }).meta({ id: "StoringDocument" });

const DocumentsQuerySchema = pageQuery(200, 50);
const DocumentPageSchema = z.object({
  collection: CollectionNameSchema,
  documents: z.array(DocumentSchema),
  next: NextPageSchema,
});

const DOCUMENT_PARAMS = { collection: CollectionNameSchema, id: IdSchema };

export const postDocument = (services: Services): Route => ({
  method: "post",
  path: "/knowledge/:collection/documents",
  access: "key",
  operation: {
    id: "storeDocument",
    tag: "Knowledge",
    summary: "Store a document",
    description:
      "The first document of a collection creates it; the same source again replaces the document. The text in JSON, a" +
      " form with one file, or the file itself, with the other fields in the query.",
    params: { collection: CollectionNameSchema },
    query: FileQuerySchema,
    headers: JOB_REQUEST_HEADERS,
    body: DOCUMENT_BODY,
    responses: { 202: acceptedResponse("The document is stored by a job.", StoringSchema) },
    errors: [...ACCEPT_ERRORS, "knowledge_share_exceeded", ...DOCUMENT_ERRORS],
  },
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

const view = (row: DocumentRow): z.infer<typeof DocumentSchema> => ({
  id: row.id,
  source: row.source,
  format: row.format,
  version: row.version,
  bytes: row.bytes,
  chunks: row.chunks,
  metadata: parseObject(row.metadata),
  job_id: row.job_id,
  created_at: row.created_at,
  updated_at: row.updated_at,
});

export const listDocuments = (services: Services): Route => ({
  method: "get",
  path: "/knowledge/:collection/documents",
  access: "key",
  operation: {
    id: "listDocuments",
    tag: "Knowledge",
    summary: "List the documents of a collection",
    params: { collection: CollectionNameSchema },
    query: DocumentsQuerySchema,
    responses: { 200: jsonResponse("A page of documents.", DocumentPageSchema) },
    errors: ["database_unavailable", "collection_not_found"],
  },
  async handle(req, res, { owner }) {
    const { limit, before } = validate(DocumentsQuerySchema, req.query);
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
  operation: {
    id: "getDocument",
    tag: "Knowledge",
    summary: "Get a document",
    params: DOCUMENT_PARAMS,
    responses: { 200: jsonResponse("The document.", DocumentSchema) },
    errors: ["database_unavailable", "collection_not_found", "document_not_found"],
  },
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
  operation: {
    id: "deleteDocument",
    tag: "Knowledge",
    summary: "Delete a document",
    params: DOCUMENT_PARAMS,
    headers: SYSTEM_JOB_HEADERS,
    responses: deletionResponses("The document is deleted."),
    errors: [...ACCEPT_ERRORS, "collection_not_found", "document_not_found", ...JOB_ERRORS],
  },
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
export async function findDocument(
  services: Services,
  owner: string,
  params: Record<string, unknown>,
): Promise<DocumentRow> {
  const documentId = pathId(params);
  const { id } = await findCollection(services, owner, collectionName(params));
  const document = await services.knowledge.document(owner, id, documentId);
  if (document === undefined) throw new PlatformError("document_not_found");
  return document;
}
