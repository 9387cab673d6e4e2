/**
 * The contract on knowledge between the API and the workers. The API neither writes to the database nor calls a
 * model, so every change of a collection and every query is a system job of kind `execute`. Its `agent_type` is a key
 * of `KNOWLEDGE_JOBS`, and its `input` has the shape that this map states. A collection belongs to one API key.
 */
import { v5 } from "uuid";
import { z } from "zod";
import { IdSchema } from "../ids.ts";

/** The name of a collection, unique among the collections of its owner. */
export const CollectionNameSchema = z
  .string()
  .regex(/^[a-zA-Z0-9][a-zA-Z0-9_-]{0,62}$/, "expected 1 to 63 letters, digits, _ and -, a letter or digit first");

/**
 * What an uploaded document is. `markdown` has headings, code and tables; the last four are read into Markdown by a
 * worker.
 */
export const DOCUMENT_FORMATS = ["text", "markdown", "html", "csv", "pdf", "docx"] as const;
export type DocumentFormat = (typeof DOCUMENT_FORMATS)[number];

/** The most passages that a query may ask for. */
export const MAX_TOP_K = 50;

/** What a query finds. */
export const PassageSchema = z
  .object({
    document_id: IdSchema,
    source: z.string().describe("The document's name, as it was given when the document was stored."),
    heading: z.string().describe("The headings above the passage, outermost first, joined by ` › `; empty for none."),
    content: z.string(),
    position: z.int().describe("Index of the chunk within its document, from 0."),
    score: z
      .number()
      .describe("How well it answers, 0 to 1: of its terms and its meaning, or the cosine if searches are not hybrid."),
  })
  .meta({ id: "Passage" });
/** The most chunks of a document that a request may ask for. */
export const MAX_CHUNKS = 50;

export const ChunkSchema = z
  .object({
    position: z.int().describe("Index of the chunk within its document, from 0."),
    heading: z.string().describe("The headings above it, outermost first, joined by ` › `; empty for none."),
    text: z.string(),
  })
  .meta({ id: "Chunk" });

export const DocumentChunksSchema = z
  .object({
    document_id: IdSchema,
    source: z.string().describe("The document's name."),
    total: z.int().describe("How many chunks the document has."),
    chunks: z.array(ChunkSchema).readonly().describe("In their order. Neighbours may overlap."),
  })
  .meta({ id: "DocumentChunks" });

export type Passage = Readonly<z.infer<typeof PassageSchema>>;

export const KNOWLEDGE_JOBS = {
  /**
   * Stores a document, and creates the collection if there is none. The file is not part of the input: it is in Redis,
   * under the job's id. `result.data` is an `IngestResult`.
   */
  "knowledge.ingest": z.object({
    collection: CollectionNameSchema,
    /** The value of `documentIdOf` for the owner, collection and source. */
    document_id: IdSchema,
    /** The document's name within the collection. */
    source: z.string().min(1),
    format: z.enum(DOCUMENT_FORMATS),
    /** The encoding of a text, as its client states it; without it, the bytes tell. */
    charset: z.string().optional(),
    /** What the client attached to the document; the platform only keeps it. */
    metadata: z.record(z.string(), z.unknown()),
  }),
  /** Deletes a document with its chunks. A document that is gone already is no error. */
  "knowledge.delete_document": z.object({ collection_id: IdSchema, document_id: IdSchema }),
  /** Deletes a collection with its documents and chunks. A collection that is gone already is no error. */
  "knowledge.delete_collection": z.object({ collection_id: IdSchema }),
  /**
   * Searches a collection: `result.data` is `{ embedding, passages }`, the passages with the best score first. Or reads
   * the chunks of a document's copy: `result.data` is a `DocumentChunks`.
   */
  "knowledge.query": z.union([
    z.object({
      collection: CollectionNameSchema,
      query: z.string(),
      /** The most passages to return. */
      top_k: z.int().min(1).max(MAX_TOP_K),
      /** The lowest score of a passage; scores lie between 0 and 1. */
      min_score: z.number(),
    }),
    z.object({
      collection_id: IdSchema,
      copy_id: IdSchema,
      /** What the result says of the document. */
      document: z.object({ document_id: IdSchema, source: z.string(), total: z.int() }),
      /** The position of the first chunk. */
      from: z.int().min(0),
      limit: z.int().min(1).max(MAX_CHUNKS),
    }),
  ]),
} as const;
export type KnowledgeJobId = keyof typeof KNOWLEDGE_JOBS;
export type KnowledgeInput<Id extends KnowledgeJobId> = z.output<(typeof KNOWLEDGE_JOBS)[Id]>;

/** The `result.data` of an ingest. */
export type IngestResult = {
  readonly document_id: string;
  readonly source: string;
  /** The number of chunks of the document that is stored now. */
  readonly chunks: number;
  /** The name of the embedding that the chunks were embedded with. */
  readonly embedding: string;
  /** True if the document was stored with this content already, so that no chunk was embedded or stored. */
  readonly unchanged: boolean;
  /** True if an ingest of the same source that was accepted later has been stored already; its content stays. */
  readonly superseded: boolean;
};

const DOCUMENT_NAMESPACE = "5b0f2c8e-7c1d-5e7a-9c65-2f6d1f0a4b3e";

/**
 * The id of a document follows from its owner, collection and source, so storing a source again replaces the
 * document.
 */
export const documentIdOf = (owner: string, collection: string, source: string): string =>
  v5(JSON.stringify([owner, collection, source]), DOCUMENT_NAMESPACE);
