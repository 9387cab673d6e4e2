/**
 * The rows of the database. Times are ISO 8601 texts in UTC and JSON columns are texts, because SQLite and PostgreSQL
 * both have those. Written by apps/worker alone; the migrations there hold the same columns.
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
  /** Null until a message has a text. */
  title: string | null;
};

export const MESSAGE_ROLES = ["user", "assistant", "system", "tool"] as const;

export type MessageRow = {
  id: string;
  session_id: string;
  job_id: string;
  /** Position within the session, from 1. Not every position is taken: a reserved one may stay without a message. */
  ordinal: number;
  role: (typeof MESSAGE_ROLES)[number];
  content: string;
  tokens_used: number;
  metadata: string;
  created_at: string;
  /** JSON of the model turn whose calls the client is to make, of the assistant's message; else null. */
  open_turn: string | null;
};

/** The user's message of a job, where it is more than a text. */
export type MessagePartsRow = {
  job_id: string;
  /** Of `parts`. */
  bytes: number;
  /** JSON, as the client sent them. */
  parts: string;
};

/** The model turns of a job that ended with calls of the client, for the job that goes on. */
export type WholeTurnsRow = {
  job_id: string;
  /** Of `turns`. */
  bytes: number;
  /** JSON. */
  turns: string;
};

/** What an execute job was given beside its task and its parts, to run it again. */
export type JobInputsRow = {
  job_id: string;
  /** JSON of `JobInputs`. */
  inputs: string;
};

/** A row of `agent_logs`: one job, written when its first attempt starts. */
export type JobRow = {
  id: string;
  owner: string;
  kind: JobKind;
  agent_type: string;
  session_id: string | null;
  task: string;
  status: Exclude<JobStatus, "queued" | "waiting">;
  /** Rises with every start of the job by a worker, delayed starts included; writes with a lower one are refused. */
  fencing_token: number;
  /** How often the agent was started, by the database; users see it as the attempt. */
  attempts: number;
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
  /** JSON of what the client attached to the request; null for a job of a version before 0.2.0. */
  metadata: string | null;
  /** JSON of what the job's door keeps of the request; null: nothing. */
  request: string | null;
  /** How long the job has been suspended until its last start, ms: no deadline counts it. */
  waited_ms: number;
  /** JSON of a `Timeline`, of a job that has ended or is suspended; null for a job of a version before. */
  timeline: string | null;
};

/** A job that waits for people. The row goes when an attempt starts, or with the job's end. */
export type SuspendedJobRow = {
  job_id: string;
  /** ms since 1970. */
  suspended_at: number;
  /** The last `seq` of the job's log. */
  last_seq: number;
  /** JSON of the payload and of the queue's options: a Redis that has lost the job gets it back. */
  payload: string;
  options: string;
};

/** What a job has asked a person. */
export type InquiryRow = {
  job_id: string;
  request_id: string;
  /** JSON of an `Inquiry`. */
  inquiry: string;
  expires_at: string;
  /** JSON of a `Decision`; null until there is one, and write-once. */
  decision: string | null;
};

/**
 * The places in a session's order of a job whose messages are yet to come, while a message of a job accepted later is
 * written already: `room` places from `ordinal` on.
 */
export type ReservedOrdinalRow = { job_id: string; session_id: string; ordinal: number; room: number };

export type CollectionRow = {
  id: string;
  owner: string;
  name: string;
  /** The name of the embedder that embedded all its documents. */
  embedding: string;
  created_at: string;
};

export type DocumentRow = {
  id: string;
  collection_id: string;
  owner: string;
  source: string;
  /** A hash of text and format: equal for equal content. */
  version: string;
  format: DocumentFormat;
  bytes: number;
  chunks: number;
  /** JSON. */
  metadata: string;
  /** The latest accepted ingest that was committed; one accepted earlier is refused. */
  job_id: string;
  /** The current copy, named by the ingest job that stored its chunks. */
  copy_id: string;
  created_at: string;
  updated_at: string;
};

/** The copy of a document that one ingest stores under its job's id, while no document refers to it. */
export type UnreferencedCopyRow = {
  id: string;
  collection_id: string;
  document_id: string;
  owner: string;
  /**
   * `pending`: its ingest may make it the document's current copy; `revoked`: it may not any more, but may still be
   * storing chunks; `replaced`: it was the current copy.
   */
  state: "pending" | "revoked" | "replaced";
};

/** A row of `agent_steps`: an entry in the journal of a job. */
export type JournalRow = {
  job_id: string;
  /** Position in the order of beginnings, from 1. */
  step_no: number;
  /** A hash of the entry's kind, its input and its place in the job. */
  step_key: string;
  kind: string;
  /** JSON, for people; null where it is long. */
  input: string | null;
  status: "started" | "finished";
  /** JSON of the entry's result; null until it is finished. */
  value: string | null;
  /** The fencing token of the run that wrote the row last. */
  fencing_token: number;
  started_at: string;
  finished_at: string | null;
};

/** The one row of its table: the identity that the database shares with the Redis of its installation. */
export type InstallationRow = {
  id: string;
  created_at: string;
};

/** The row type of each table. */
export type Rows = {
  sessions: SessionRow;
  messages: MessageRow;
  message_parts: MessagePartsRow;
  whole_turns: WholeTurnsRow;
  job_inputs: JobInputsRow;
  agent_logs: JobRow;
  agent_steps: JournalRow;
  reserved_ordinals: ReservedOrdinalRow;
  suspended_jobs: SuspendedJobRow;
  inquiries: InquiryRow;
  collections: CollectionRow;
  documents: DocumentRow;
  unreferenced_copies: UnreferencedCopyRow;
  installation: InstallationRow;
};

export type TableName = keyof Rows;
