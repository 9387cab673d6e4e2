/** The statements by which a job and its messages are written. */
import type { JobRow, MessageRow, SessionRow } from "@agent-paas/shared/db/rows.ts";
import type { Knex } from "knex";
import { hideFromPlanner, prepareStatement } from "./statement.ts";

type EndColumns = "status" | "result" | "usage" | "error_code" | "error_message" | "last_seq" | "execution_time_ms";

type StartedJob = Omit<JobRow, EndColumns | "attempt" | "finished_at">;

type EndedJob = Pick<JobRow, EndColumns | "id" | "fencing_token" | "finished_at">;

type NewMessage = Omit<MessageRow, "ordinal">;

export function prepareJobStatements(db: Knex) {
  return {
    upsertSession: prepareStatement<SessionRow>((session) =>
      db("sessions")
        .insert({
          id: session.id,
          owner: session.owner,
          agent_type: session.agent_type,
          config: session.config,
          metadata: session.metadata,
          created_at: session.created_at,
          updated_at: session.updated_at,
        })
        .onConflict("id")
        .merge({ updated_at: session.updated_at }),
    ),

    touchSession: prepareStatement<Pick<SessionRow, "id" | "updated_at">>(({ id, updated_at }) =>
      db("sessions").where({ id }).update({ updated_at }),
    ),

    /** Fenced by the attempt; once the job has ended, it stays so. */
    startJob: prepareStatement<StartedJob>((job) =>
      db("agent_logs")
        .insert({
          id: job.id,
          owner: job.owner,
          kind: job.kind,
          agent_type: job.agent_type,
          session_id: job.session_id,
          task: job.task,
          status: "running",
          fencing_token: job.fencing_token,
          attempt: 1,
          worker: job.worker,
          created_at: job.created_at,
          started_at: job.started_at,
        })
        .onConflict("id")
        .merge({ fencing_token: job.fencing_token, worker: job.worker, attempt: db.raw("agent_logs.attempt + 1") })
        .where("agent_logs.fencing_token", "<", job.fencing_token)
        .where("agent_logs.status", "running"),
    ),

    endJob: prepareStatement<EndedJob>((job) =>
      db("agent_logs").where({ id: job.id, fencing_token: job.fencing_token, status: "running" }).update({
        status: job.status,
        result: job.result,
        usage: job.usage,
        error_code: job.error_code,
        error_message: job.error_message,
        last_seq: job.last_seq,
        execution_time_ms: job.execution_time_ms,
        finished_at: job.finished_at,
      }),
    ),

    /** At the session's end; one of each role per job. */
    insertMessage: prepareStatement<NewMessage>((message) =>
      db("messages")
        .insert({
          id: message.id,
          session_id: message.session_id,
          job_id: message.job_id,
          ordinal: db.raw("(select coalesce(max(ordinal), 0) + 1 from messages where session_id = ?)", [
            hideFromPlanner(db, message.session_id),
          ]),
          role: message.role,
          content: message.content,
          tokens_used: message.tokens_used,
          metadata: message.metadata,
          created_at: message.created_at,
        })
        .onConflict(db.raw("(job_id, role) where role in ('user', 'assistant')") as unknown as string)
        .ignore(),
    ),
  };
}
