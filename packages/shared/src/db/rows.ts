/**
 * The rows of the database as SQLite returns them. Times are ISO 8601 texts, JSON columns are texts: the common ground
 * of SQLite and PostgreSQL. Written by apps/worker alone; the migrations there hold the same columns.
 */
import type { JobKind, JobStatus } from "../contract/jobs.ts";
import type { DocumentFormat } from "../contract/knowledge.ts";

export type SessionRow = {
  id: string;
  owner: string;
  agent_type: string;
  config: string;
  metadata: string;
  created_at: string;
  updated_at: string;
};

export type MessageRow = {
  id: string;
  session_id: string;
  job_id: string;
  /** Position within the session, from 1. */
  ordinal: number;
  role: "user" | "assistant" | "system" | "tool";
  content: string;
  tokens_used: number;
  metadata: string;
  created_at: string;
};

/** A row of `agent_logs`: one job, from its first start on. */
export type JobRow = {
  id: string;
  owner: string;
  kind: JobKind;
  agent_type: string;
  session_id: string | null;
  task: string;
  status: Exclude<JobStatus, "queued">;
  /** The fence: rises with every start by a worker, parked ones too. */
  fencing_token: number;
  /** How often the agent was begun: what users know as the attempt. */
  attempt: number;
  worker: string;
  /** JSON of a `JobResult`, the partial one of a job that did not complete. */
  result: string | null;
  /** JSON of a `Usage`. */
  usage: string | null;
  error_code: string | null;
  error_message: string | null;
  /** The `seq` of the job's `done` event. */
  last_seq: number | null;
  execution_time_ms: number | null;
  created_at: string;
  started_at: string;
  finished_at: string | null;
};

export type CollectionRow = {
  id: string;
  owner: string;
  name: string;
  /** The name of the embedder that all its documents were embedded by. */
  embedding: string;
  created_at: string;
};

export type DocumentRow = {
  id: string;
  collection_id: string;
  owner: string;
  source: string;
  /** Of the content: two documents with the same text and format have the same. */
  version: string;
  format: DocumentFormat;
  bytes: number;
  chunks: number;
  /** JSON. */
  metadata: string;
  /** The latest accepted ingest that had its way; no earlier one can. */
  job_id: string;
  /** The ingest whose chunks are the document's. */
  copy_id: string;
  created_at: string;
  updated_at: string;
};

/** What one ingest puts into the vector store, under its job's id, for as long as no document points to it. */
export type UnreferencedCopyRow = {
  id: string;
  collection_id: string;
  document_id: string;
  owner: string;
  /**
   * `pending`: its ingest may make it the document's; `revoked`: it may not any more, and may not have noticed yet;
   * `replaced`: it was the document's.
   */
  state: "pending" | "revoked" | "replaced";
};

/** A row of `agent_steps`: a step of a job in its journal. */
export type JournalRow = {
  job_id: string;
  /** In the order begun, from 1. */
  step_no: number;
  /** Names the step by its kind, input and place. */
  step_key: string;
  kind: string;
  /** JSON, for people; null where it is long. */
  input: string | null;
  status: "started" | "finished";
  /** JSON of what the step brought. */
  value: string | null;
  /** The fence of the attempt that wrote the row last. */
  fencing_token: number;
  started_at: string;
  finished_at: string | null;
};
