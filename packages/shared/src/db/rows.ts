/**
 * The rows of the database as SQLite returns them. Times are ISO 8601 texts, JSON columns are texts: the common ground
 * of SQLite and PostgreSQL. Written by apps/worker alone; the migrations there hold the same columns.
 */
import type { JobKind, JobStatus } from "../contract/jobs.ts";

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
  attempt: number;
  /** How often the agent was begun: what users know as the attempt. */
  runs: number;
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
