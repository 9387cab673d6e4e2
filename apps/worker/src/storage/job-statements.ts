/** The statements that write a job and its messages; their SQL is built once per process. */

import type { JobPayload } from "@agent-paas/shared/contract/jobs.ts";
import type { Expression } from "@agent-paas/shared/db/queries.ts";
import type {
  JobInputsRow,
  JobRow,
  MessagePartsRow,
  MessageRow,
  SessionRow,
  WholeTurnsRow,
} from "@agent-paas/shared/db/rows.ts";
import type { Storage } from "@agent-paas/shared/db/storage.ts";

type EndColumns =
  | ("status" | "result" | "usage" | "error_code" | "error_message" | "last_seq" | "execution_time_ms")
  | "timeline";

type StartedJob = Omit<JobRow, EndColumns | "attempts" | "finished_at" | "waited_ms">;

type EndedJob = Pick<JobRow, EndColumns | "id" | "fencing_token" | "finished_at">;

type NewMessage = Omit<MessageRow, "ordinal">;

type Placed = {
  /** Where the message stands within the places that are reserved for its job. */
  readonly offset: number;
};

type Question = NewMessage &
  Placed & {
    /** How many places to leave free before it, if none is reserved for its job. */
    readonly skip: number;
  };

/**
 * How many places are reserved for a job: more than it may write of clients' results, its question, finished calls
 * (`finished-calls.ts`) and its answer, which takes the last.
 */
export const PLACES_PER_JOB = 256;
/** Places that a worker of a former version has reserved have no room for calls. */
const ROOM_WITHOUT_CALLS = 2;

export function prepareJobStatements({ table, sql, prepareWrite }: Storage) {
  /**
   * The next ordinal of the session, unless places are reserved for the job; `place` is the one among them.
   *
   * Two batches never compute the same ordinal: each has written the session's row before, so the batches of one
   * session run one after the other. Reserved places lie below the largest ordinal of their session, because they are
   * reserved together with a message behind them.
   */
  const ordinalOf = (
    { job_id, session_id }: Pick<MessageRow, "job_id" | "session_id">,
    place: string,
    places: readonly number[],
    skip = 0,
  ) =>
    sql.expression(
      `coalesce((select ${place} from reserved_ordinals where job_id = ?), ` +
        "(select coalesce(max(ordinal), 0) + 1 from messages where session_id = ?) + ?)",
      [...places, job_id, sql.hideFromPlanner(session_id), skip],
    );

  /** A job has one message of each role, and a second one is ignored. */
  const insertSpoken = (message: NewMessage, ordinal: Expression) =>
    table("messages")
      .insert({
        id: message.id,
        session_id: message.session_id,
        job_id: message.job_id,
        ordinal: ordinal as unknown as number,
        role: message.role,
        content: message.content,
        tokens_used: message.tokens_used,
        metadata: message.metadata,
        created_at: message.created_at,
        open_turn: message.open_turn,
      })
      .onConflict(sql.partialIndex(["job_id", "role"], "role in ('user', 'assistant')"))
      .ignore();

  return {
    /** Touches no row when the session is another owner's (I8). */
    upsertSession: prepareWrite<SessionRow>((session) =>
      table("sessions")
        .insert({
          id: session.id,
          owner: session.owner,
          agent_type: session.agent_type,
          config: session.config,
          metadata: session.metadata,
          created_at: session.created_at,
          updated_at: session.updated_at,
          title: session.title,
        })
        .onConflict("id")
        .merge({
          updated_at: session.updated_at,
          title: sql.expression("coalesce(sessions.title, excluded.title)") as unknown as string,
        })
        .where("sessions.owner", session.owner),
    ),

    touchSession: prepareWrite<Pick<SessionRow, "id" | "updated_at">>(({ id, updated_at }) =>
      table("sessions").where({ id }).update({ updated_at }),
    ),

    /** Touches no row when the job's fencing token is as high or higher, or when the job has ended. */
    startJob: prepareWrite<StartedJob>((job) =>
      table("agent_logs")
        .insert({
          id: job.id,
          owner: job.owner,
          kind: job.kind,
          agent_type: job.agent_type,
          session_id: job.session_id,
          task: job.task,
          metadata: job.metadata,
          request: job.request,
          status: "running",
          fencing_token: job.fencing_token,
          attempts: 1,
          worker: job.worker,
          created_at: job.created_at,
          started_at: job.started_at,
        })
        .onConflict("id")
        .merge({
          fencing_token: job.fencing_token,
          worker: job.worker,
          attempts: sql.expression("agent_logs.attempts + 1"),
        })
        .where("agent_logs.fencing_token", "<", job.fencing_token)
        .where("agent_logs.status", "running"),
    ),

    /** Adds to the job how long it was suspended, if it was. */
    countWait: prepareWrite<Pick<JobRow, "id"> & { now: number }>(({ id, now }) =>
      table("agent_logs")
        .where({ id })
        .whereExists(table("suspended_jobs").where({ job_id: id }))
        .update({
          waited_ms: sql.expression("waited_ms + ? - (select suspended_at from suspended_jobs where job_id = ?)", [
            now,
            id,
          ]) as unknown as number,
        }),
    ),

    endSuspension: prepareWrite<Pick<JobRow, "id">>(({ id }) => table("suspended_jobs").where("job_id", id).delete()),

    /** Touches no row when the job has another fencing token, or has ended. */
    endJob: prepareWrite<EndedJob>((job) =>
      table("agent_logs")
        .where({ id: job.id, fencing_token: job.fencing_token, status: "running" })
        .update({
          status: job.status,
          result: job.result,
          usage: job.usage,
          error_code: job.error_code,
          error_message: job.error_message,
          last_seq: job.last_seq,
          execution_time_ms: job.execution_time_ms,
          // What a suspension has left stays if nothing is known of what followed.
          timeline: sql.expression("coalesce(?, timeline)", [job.timeline]) as unknown as string,
          finished_at: job.finished_at,
        }),
    ),

    /** Of a job whose end was published again with later numbers. */
    raiseLastSeq: prepareWrite<Pick<JobRow, "id"> & { last_seq: number }>(({ id, last_seq }) =>
      table("agent_logs").where({ id }).where("last_seq", "<", last_seq).update({ last_seq }),
    ),

    insertQuestion: prepareWrite<Question>((message) => {
      const place = `ordinal + case when room > ${ROOM_WITHOUT_CALLS} then ? else 0 end`;
      return insertSpoken(message, ordinalOf(message, place, [message.offset], message.skip));
    }),

    insertAnswer: prepareWrite<NewMessage>((message) =>
      insertSpoken(message, ordinalOf(message, "ordinal + room - 1", [])),
    ),

    /** A message of role `tool`; one that is written is not written again. */
    insertToolMessage: (message: Omit<NewMessage, "open_turn"> & Placed & { readonly skip?: number }) =>
      sql.insertFrom(
        "messages",
        ["id", "session_id", "job_id", "ordinal", "role", "content", "tokens_used", "metadata", "created_at"],
        table("sessions")
          .where({ id: message.session_id })
          .whereNotExists(
            table("reserved_ordinals").where({ job_id: message.job_id }).where("room", "<=", ROOM_WITHOUT_CALLS),
          )
          .whereNotExists(table("messages").where({ id: message.id }))
          .select(
            sql.expression("?", [message.id]),
            "id",
            sql.expression("?", [message.job_id]),
            ordinalOf(message, "ordinal + cast(? as bigint)", [message.offset], message.skip),
            sql.expression("?", [message.role]),
            sql.expression("?", [message.content]),
            sql.expression("cast(? as bigint)", [message.tokens_used]),
            sql.expression("?", [message.metadata]),
            sql.expression("?", [message.created_at]),
          ),
      ),

    insertParts: prepareWrite<MessagePartsRow>(({ job_id, bytes, parts }) =>
      table("message_parts").insert({ job_id, bytes, parts }).onConflict("job_id").ignore(),
    ),

    insertInputs: prepareWrite<JobInputsRow>(({ job_id, inputs }) =>
      table("job_inputs").insert({ job_id, inputs }).onConflict("job_id").ignore(),
    ),

    insertWholeTurns: ({ job_id, bytes, turns }: WholeTurnsRow) =>
      table("whole_turns").insert({ job_id, bytes, turns }).onConflict("job_id").ignore(),

    /** Of a session whose open turn is answered. */
    deleteWholeTurns: (sessionId: string) =>
      table("whole_turns")
        .whereIn("job_id", table("agent_logs").where({ session_id: sessionId }).select("id"))
        .delete(),

    /** What the job replaces; not its own messages, nor those behind its place, which are of jobs accepted later. */
    deleteReplaced: (sessionId: string, { job_id, replaced, replaces = [] }: JobPayload) => {
      const query = table("messages")
        .where({ session_id: sessionId })
        .whereNot({ job_id })
        .whereNotExists(
          table("reserved_ordinals").where({ job_id }).whereRaw("reserved_ordinals.ordinal <= messages.ordinal"),
        );
      if (replaced === undefined) return query.whereIn("job_id", replaces).delete();
      if ("from_ordinal" in replaced) return query.where("ordinal", ">=", replaced.from_ordinal).delete();
      const kept = table("messages").where({ session_id: sessionId, job_id: replaced.behind_job });
      return query
        .where((behind) => behind.whereIn("job_id", replaces).orWhere("ordinal", ">", kept.max("ordinal")))
        .delete();
    },

    /** Of a job that writes no further message. */
    freeOrdinal: prepareWrite<Pick<JobRow, "id">>(({ id }) => table("reserved_ordinals").where("job_id", id).delete()),

    /**
     * Reserves the places of the jobs ahead of one that is about to write its messages, in their order. Reserves none
     * for a job that has ended, nor if one of these is written or has a place itself: then theirs are before it.
     */
    reserveOrdinals: (sessionId: string, jobId: string, ahead: readonly string[]) =>
      ahead.map((aheadId, at) =>
        sql.insertFrom(
          "reserved_ordinals",
          ["job_id", "session_id", "ordinal", "room"],
          table("sessions")
            .where({ id: sessionId })
            .whereNotExists(table("reserved_ordinals").whereIn("job_id", [aheadId, jobId]))
            .whereNotExists(table("messages").where({ job_id: jobId }))
            .whereNotExists(table("agent_logs").where({ id: aheadId }).whereNot({ status: "running" }))
            .select(
              sql.expression("?", [aheadId]),
              "id",
              sql.expression("(select coalesce(max(ordinal), 0) + 1 from messages where session_id = ?) + ?", [
                sessionId,
                at * PLACES_PER_JOB,
              ]),
              sql.expression("cast(? as bigint)", [PLACES_PER_JOB]),
            ),
        ),
      ),
  };
}
