/**
 * Writes jobs and their messages. A job has two writes: one when an attempt starts, one when it ends. Both are fenced
 * by the attempt (I4), and the terminal status is write-once: its guard takes a running row only.
 */
import { countTokens } from "@agent-paas/agents/tokens.ts";
import type { JobPayload, JobResult, TerminalStatus, Usage } from "@agent-paas/shared/contract/jobs.ts";
import type { JobRow } from "@agent-paas/shared/db/rows.ts";
import { newId } from "@agent-paas/shared/ids.ts";
import { reach } from "@agent-paas/shared/lifecycle/milestones.ts";
import type { Knex } from "knex";
import { type WriteStatement, writeBatch } from "./write-batch.ts";

export type StartedJob =
  | {
      readonly kind: "started";
      /** When the first attempt was started, ms since 1970. */
      readonly firstStartedAt: number;
    }
  /** A row with a terminal status: the job ended before, perhaps without its end being told. */
  | { readonly kind: "ended"; readonly row: JobRow }
  /** A higher attempt owns the job. */
  | { readonly kind: "stale" };

export type JobEnd = {
  readonly status: TerminalStatus;
  readonly result: JobResult;
  /** Of the result's text. */
  readonly resultTokens: number;
  readonly usage: Usage;
  readonly error: { readonly code: string; readonly message: string } | null;
  /** The `seq` that the `done` event will have. */
  readonly lastSeq: number;
  readonly executionMs: number;
};

export type JobRepository = ReturnType<typeof createJobRepository>;

export function createJobRepository(db: Knex, worker: string) {
  const find = async (jobId: string): Promise<JobRow | undefined> =>
    db<JobRow>("agent_logs").where({ id: jobId }).first();

  return {
    /** Writes the session if it is new, the job as running, and the user's message once. */
    async start(payload: JobPayload, attempt: number): Promise<StartedJob> {
      const startedAt = new Date();
      const now = startedAt.toISOString();
      const statements: WriteStatement[] = [];
      if (payload.session_id !== null) statements.push(upsertSession(db, payload, payload.session_id, now));
      statements.push({ query: upsertRunningJob(db, payload, attempt, worker, now), guard: true });
      if (payload.session_id !== null) {
        statements.push(
          insertMessage(db, payload.session_id, payload.job_id, {
            role: "user",
            content: payload.text,
            tokens_used: countTokens(payload.text),
            metadata: JSON.stringify(payload.metadata),
            created_at: now,
          }),
        );
      }
      const isStarted = await writeBatch(db, statements);
      if (isStarted && attempt === 1) return { kind: "started", firstStartedAt: startedAt.getTime() };
      const row = await find(payload.job_id);
      if (isStarted && row !== undefined) return { kind: "started", firstStartedAt: Date.parse(row.started_at) };
      return row === undefined || row.status === "running" ? { kind: "stale" } : { kind: "ended", row };
    },

    /** Writes the end of a job and its answer. False: the job is no longer this attempt's, and nothing was written. */
    async end(payload: JobPayload, attempt: number, end: JobEnd): Promise<boolean> {
      const now = new Date();
      const statements: WriteStatement[] = [
        {
          query: db<JobRow>("agent_logs")
            .where({ id: payload.job_id, attempt, status: "running" })
            .update({
              status: end.status,
              result: JSON.stringify(end.result),
              usage: JSON.stringify(end.usage),
              error_code: end.error?.code ?? null,
              error_message: end.error?.message ?? null,
              last_seq: end.lastSeq,
              execution_time_ms: end.executionMs,
              finished_at: now.toISOString(),
            }),
          guard: true,
        },
      ];
      if (payload.session_id !== null) {
        if (end.result.content !== "") {
          statements.push(
            insertMessage(db, payload.session_id, payload.job_id, {
              role: "assistant",
              content: end.result.content,
              tokens_used: end.resultTokens,
              metadata: JSON.stringify({
                status: end.status,
                ...(end.result.citations === undefined ? {} : { citations: end.result.citations }),
              }),
              created_at: now.toISOString(),
            }),
          );
        }
        statements.push({
          query: db("sessions").where({ id: payload.session_id }).update({ updated_at: now.toISOString() }),
        });
      }
      const isWritten = await writeBatch(db, statements, () => reach("message_written", payload.job_id));
      if (isWritten) reach("state_written", payload.job_id);
      return isWritten;
    },
  };
}

function upsertSession(db: Knex, payload: JobPayload, sessionId: string, now: string): WriteStatement {
  const session = {
    id: sessionId,
    owner: payload.owner,
    agent_type: payload.agent_type,
    config: JSON.stringify(payload.config),
    metadata: JSON.stringify(payload.metadata),
    created_at: payload.accepted_at,
    updated_at: now,
  };
  return { query: db("sessions").insert(session).onConflict("id").merge({ updated_at: now }) };
}

function upsertRunningJob(db: Knex, payload: JobPayload, attempt: number, worker: string, now: string) {
  const row: Partial<JobRow> = {
    id: payload.job_id,
    owner: payload.owner,
    kind: payload.kind,
    agent_type: payload.agent_type,
    session_id: payload.session_id,
    task: payload.text,
    status: "running",
    attempt,
    runs: 1,
    worker,
    created_at: payload.accepted_at,
    started_at: now,
  };
  return db("agent_logs")
    .insert(row)
    .onConflict("id")
    .merge({ attempt, worker, runs: db.raw("agent_logs.runs + 1") })
    .where("agent_logs.attempt", "<", attempt)
    .where("agent_logs.status", "running");
}

type NewMessage = {
  role: "user" | "assistant";
  content: string;
  tokens_used: number;
  metadata: string;
  created_at: string;
};

function insertMessage(db: Knex, sessionId: string, jobId: string, message: NewMessage): WriteStatement {
  const ordinal = db.raw("(select coalesce(max(ordinal), 0) + 1 from messages where session_id = ?)", [sessionId]);
  const row = { id: newId(), session_id: sessionId, job_id: jobId, ordinal, ...message };
  const oncePerJob = db.raw("(job_id, role) where role in ('user', 'assistant')");
  return {
    query: db("messages")
      .insert(row)
      .onConflict(oncePerJob as unknown as string)
      .ignore(),
  };
}
