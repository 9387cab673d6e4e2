/**
 * Writes jobs and their messages. A job has two writes: one when an attempt starts, one when it ends. Both are fenced
 * by the attempt (I4), and the terminal status is write-once: its guard takes a running row only.
 */
import { countTokens } from "@agent-paas/agents/model/tokens.ts";
import type { JobPayload, JobResult, TerminalStatus, Usage } from "@agent-paas/shared/contract/jobs.ts";
import type { JobRow } from "@agent-paas/shared/db/rows.ts";
import { newId } from "@agent-paas/shared/ids.ts";
import { failpoint } from "@agent-paas/shared/lifecycle/failpoints.ts";
import type { Knex } from "knex";
import { prepareJobStatements } from "./job-statements.ts";
import { type WriteStatement, writeBatch } from "./write-batch.ts";

export type StartedJob =
  | {
      readonly kind: "started";
      /** When the first attempt was started, ms since 1970. */
      readonly firstStartedAt: number;
      /** How often the job was begun, this time included, by what the database has seen. */
      readonly attempt: number;
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
  const statements = prepareJobStatements(db);

  const find = async (jobId: string): Promise<JobRow | undefined> =>
    db<JobRow>("agent_logs").where({ id: jobId }).first();

  return {
    /** Writes the session if it is new, the job as running, and the user's message once. */
    async start(payload: JobPayload, fencingToken: number): Promise<StartedJob> {
      const { job_id, session_id, owner, kind, agent_type, accepted_at, text } = payload;
      const startedAt = new Date();
      const now = startedAt.toISOString();
      const job = { id: job_id, owner, kind, agent_type, session_id, task: text, fencing_token: fencingToken, worker };
      const startJob = statements.startJob({ ...job, created_at: accepted_at, started_at: now });
      const batch: WriteStatement[] = [{ query: startJob, guard: true }];
      if (session_id !== null) {
        const [config, metadata] = [JSON.stringify(payload.config), JSON.stringify(payload.metadata)];
        const session = { id: session_id, owner, agent_type, config, metadata };
        batch.unshift({ query: statements.upsertSession({ ...session, created_at: accepted_at, updated_at: now }) });
        const message = { id: newId(), session_id, job_id, metadata, created_at: now };
        const said = { role: "user", content: text, tokens_used: countTokens(text) } as const;
        batch.push({ query: statements.insertMessage({ ...message, ...said }) });
      }
      const isStarted = await writeBatch(db, batch);
      if (isStarted && fencingToken === 1) return { kind: "started", firstStartedAt: startedAt.getTime(), attempt: 1 };
      const row = await find(job_id);
      if (isStarted && row !== undefined) {
        return { kind: "started", firstStartedAt: Date.parse(row.started_at), attempt: row.attempt };
      }
      return row === undefined || row.status === "running" ? { kind: "stale" } : { kind: "ended", row };
    },

    isEnded: async (jobId: string): Promise<boolean> => ((await find(jobId))?.status ?? "running") !== "running",

    /** Writes the end of a job and its answer. False: the job is no longer this attempt's, and nothing was written. */
    async end({ job_id, session_id }: JobPayload, fencingToken: number, end: JobEnd): Promise<boolean> {
      const { status, error } = end;
      const { content, citations } = end.result;
      const now = new Date().toISOString();
      const endJob = statements.endJob({
        ...{ id: job_id, fencing_token: fencingToken, status },
        result: JSON.stringify(end.result),
        usage: JSON.stringify(end.usage),
        error_code: error?.code ?? null,
        error_message: error?.message ?? null,
        last_seq: end.lastSeq,
        execution_time_ms: end.executionMs,
        finished_at: now,
      });
      const batch: WriteStatement[] = [{ query: endJob, guard: true }];
      if (session_id !== null) {
        if (content !== "") {
          const metadata = JSON.stringify({ status, ...(citations === undefined ? {} : { citations }) });
          const message = { id: newId(), session_id, job_id, metadata, created_at: now };
          const said = { role: "assistant", content, tokens_used: end.resultTokens } as const;
          batch.push({ query: statements.insertMessage({ ...message, ...said }) });
        }
        batch.push({ query: statements.touchSession({ id: session_id, updated_at: now }) });
      }
      const isWritten = await writeBatch(db, batch, () => failpoint("message_written", job_id));
      if (isWritten) failpoint("state_written", job_id);
      return isWritten;
    },
  };
}
