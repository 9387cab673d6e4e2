/**
 * What the API and the workers must agree on about knowledge: documents in collections, each an API key's own. The API
 * writes no database and asks no model, so every change and every query is a job; its `agent_type` is a task's id, whose
 * dot no agent has, and its `input` is what this closed map says.
 */
import { v5 } from "uuid";
import { z } from "zod";
import { IdSchema } from "../ids.ts";

export const CollectionNameSchema = z
  .string()
  .regex(/^[a-zA-Z0-9][a-zA-Z0-9_-]{0,62}$/, "expected 1 to 63 letters, digits, _ and -, a letter or digit first");

export const DOCUMENT_FORMATS = ["text", "markdown"] as const;
export type DocumentFormat = (typeof DOCUMENT_FORMATS)[number];

/** Most passages that a query brings. */
export const MAX_TOP_K = 50;

export const KNOWLEDGE_JOBS = {
  /** Stores the text that waits in Redis under the job's id. */
  "knowledge.ingest": z.object({
    collection: CollectionNameSchema,
    document_id: IdSchema,
    source: z.string().min(1),
    format: z.enum(DOCUMENT_FORMATS),
    metadata: z.record(z.string(), z.unknown()),
  }),
  "knowledge.delete_document": z.object({ collection_id: IdSchema, document_id: IdSchema }),
  "knowledge.delete_collection": z.object({ collection_id: IdSchema }),
  "knowledge.query": z.object({
    collection: CollectionNameSchema,
    query: z.string(),
    top_k: z.int().min(1).max(MAX_TOP_K),
    min_score: z.number(),
  }),
} as const;
export type KnowledgeJobId = keyof typeof KNOWLEDGE_JOBS;
export type KnowledgeInput<Id extends KnowledgeJobId> = z.output<(typeof KNOWLEDGE_JOBS)[Id]>;

/** The `result.data` of an ingest. */
export type IngestResult = {
  readonly document_id: string;
  readonly source: string;
  readonly chunks: number;
  readonly embedding: string;
  /** The same content was stored already: nothing was embedded or stored. */
  readonly unchanged: boolean;
  /** Another content of the source was accepted later, and that one stays. */
  readonly superseded: boolean;
};

const DOCUMENT_NAMESPACE = "5b0f2c8e-7c1d-5e7a-9c65-2f6d1f0a4b3e";

/** A document is its source's name within a collection, so the same source given again is the same document. */
export const documentIdOf = (owner: string, collection: string, source: string): string =>
  v5(JSON.stringify([owner, collection, source]), DOCUMENT_NAMESPACE);
