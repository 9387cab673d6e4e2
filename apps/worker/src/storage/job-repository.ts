/**
 * Writes jobs and their messages. A job has two writes: one when an attempt starts, one when it ends. Both are fenced
 * by the job's fencing token (I4), and the terminal status is write-once: its guard takes a running row only.
 */
import { tokensOfParts } from "@agent-paas/agents/model/part-tokens.ts";
import { countTokens } from "@agent-paas/agents/model/tokens.ts";
import type { JobPayload, JobResult, TerminalStatus, Usage } from "@agent-paas/shared/contract/jobs.ts";
import type { JobRow } from "@agent-paas/shared/db/rows.ts";
import type { Storage, WriteStatement } from "@agent-paas/shared/db/storage.ts";
import { idOf, newId } from "@agent-paas/shared/ids.ts";
import { atFailpoint, failpoint } from "@agent-paas/shared/lifecycle/failpoints.ts";
import { wellFormedJson } from "@agent-paas/shared/text.ts";
import DataLoader from "dataloader";
import { encodeInputs } from "./job-inputs.ts";
import { PLACES_PER_JOB, prepareJobStatements } from "./job-statements.ts";
import { encodeOpenTurn, type OpenTurn } from "./open-turn.ts";
import { titleOf } from "./session-title.ts";
import { type FinishedCall, metadataOfCall, metadataOfClientResult } from "./tool-messages.ts";
import { encodeWholeTurns, type WholeTurn } from "./whole-turns.ts";

export type StartedJob =
  | {
      readonly kind: "started";
      /** When the first attempt was started, ms since 1970; later by the time for which the job was suspended. */
      readonly firstStartedAt: number;
      /** By the database's count, this start included. */
      readonly attempt: number;
      /** Whether the job was suspended until this start. */
      readonly wasSuspended: boolean;
      /** What the row has of earlier attempts. */
      readonly timeline: string | null;
    }
  /** The row has a terminal status. The terminal event may not be published yet. */
  | { readonly kind: "ended"; readonly row: JobRow }
  /** The job has a fencing token that is as high or higher. */
  | { readonly kind: "stale" };

export type JobEnd = {
  readonly status: TerminalStatus;
  readonly result: JobResult;
  /** Of the result's text. */
  readonly resultTokens: number;
  readonly usage: Usage;
  /** Default: none. */
  readonly calls?: readonly FinishedCall[];
  /** The turn whose calls the client is to make. Default: none. */
  readonly openTurn?: OpenTurn | null;
  /** The job's model turns, up to the open one. Default: none. */
  readonly wholeTurns?: readonly WholeTurn[];
  readonly error: { readonly code: string; readonly message: string } | null;
  /** The `seq` that the `done` event will have. */
  readonly lastSeq: number;
  readonly executionMs: number;
  /** JSON of a `Timeline`. Default: what the row has. */
  readonly timeline?: string | null;
};

export type JobRepository = ReturnType<typeof createJobRepository>;

/** @param now the clock of started and finished jobs; workers must agree on it, because jobs move between them. */
export function createJobRepository(storage: Storage, worker: string, now: () => number = Date.now) {
  const { table, sql, write } = storage;
  const statements = prepareJobStatements(storage);

  const findIds = storage.prepareRead<Pick<JobRow, "id">, { ids: string[] }>(({ ids }) =>
    table("agent_logs").where(sql.isOneOf("id", ids)).select("id"),
  );

  /** Every job asks once as it starts; those of one iteration of the event loop share a query. */
  const knownJobs = new DataLoader<string, boolean>(
    async (ids) => {
      const found = new Set((await findIds({ ids: [...ids] })).map(({ id }) => id));
      return ids.map((id) => found.has(id));
    },
    { cache: false, batchScheduleFn: setImmediate },
  );

  const isSuspended = async (jobId: string): Promise<boolean> =>
    (await table("suspended_jobs").where({ job_id: jobId }).first("job_id")) !== undefined;

  const find = async (jobId: string): Promise<JobRow | undefined> => table("agent_logs").where({ id: jobId }).first();

  return {
    /**
     * Writes the session if it is new, the job as running, and once what the request brings: the client's results, and
     * the user's message. `ahead`: the jobs of the session that were accepted before and have not ended; their messages
     * will come before this one's.
     */
    async start(payload: JobPayload, fencingToken: number, ahead: readonly string[] = []): Promise<StartedJob> {
      const { job_id, session_id, owner, kind, agent_type, accepted_at, text } = payload;
      const startedMs = now();
      const startedAt = new Date(startedMs).toISOString();
      const metadata = JSON.stringify(payload.metadata);
      const request = payload.request === undefined ? null : wellFormedJson(JSON.stringify(payload.request));
      const job = { id: job_id, owner, kind, agent_type, session_id, task: text, metadata, request, worker };
      const startJob = statements.startJob({
        ...job,
        ...{ fencing_token: fencingToken, created_at: accepted_at, started_at: startedAt },
      });
      const batch: WriteStatement[] = [{ query: startJob, guard: true }];
      if (session_id !== null) {
        const config = JSON.stringify(payload.config);
        const session = { id: session_id, owner, agent_type, config, metadata, title: titleOf(text) };
        // Before the job, whose row refers to it; and first, so that the batches of a session run one after the other.
        batch.unshift({
          query: statements.upsertSession({ ...session, created_at: accepted_at, updated_at: startedAt }),
          guard: true,
        });
        if ((payload.replaced ?? payload.replaces) !== undefined) {
          batch.push({ query: statements.deleteReplaced(session_id, payload) });
        }
        for (const query of statements.reserveOrdinals(session_id, job_id, ahead)) batch.push({ query });
        const brought = payload.tool_results ?? [];
        let skip = ahead.length * PLACES_PER_JOB;
        for (const [offset, { call_id, content }] of brought.entries()) {
          const message = {
            id: idOf(job_id, call_id),
            session_id,
            job_id,
            role: "tool",
            created_at: startedAt,
          } as const;
          const result = { content, tokens_used: countTokens(content), metadata: metadataOfClientResult(call_id) };
          batch.push({ query: statements.insertToolMessage({ ...message, ...result, offset, skip }) });
          skip = 0;
        }
        const bringsOther = brought.length > 0 || payload.history !== undefined;
        if (!bringsOther || text !== "" || payload.parts !== undefined) {
          const message = { id: newId(), session_id, job_id, metadata, created_at: startedAt, open_turn: null };
          const tokens = countTokens(text) + tokensOfParts(payload.parts);
          const question = { role: "user", content: text, tokens_used: tokens } as const;
          batch.push({ query: statements.insertQuestion({ ...message, ...question, offset: brought.length, skip }) });
        }
      }
      const inputs = encodeInputs(payload);
      if (payload.parts !== undefined && (session_id !== null || inputs !== null)) {
        const parts = wellFormedJson(JSON.stringify(payload.parts));
        batch.push({ query: statements.insertParts({ job_id, bytes: Buffer.byteLength(parts), parts }) });
      }
      if (inputs !== null) batch.push({ query: statements.insertInputs({ job_id, inputs }) });
      const wasSuspended = fencingToken > 1 && (await isSuspended(job_id));
      if (fencingToken > 1) {
        // Also a suspension that was written since.
        batch.push({ query: statements.countWait({ id: job_id, now: startedMs }) });
        batch.push({ query: statements.endSuspension({ id: job_id }) });
      }
      const written = () =>
        table("agent_logs").where({ id: job_id, fencing_token: fencingToken, worker, status: "running" });
      const isStarted = await write(batch, { written, inOrder: job_id });
      if (isStarted && fencingToken === 1) {
        return { kind: "started", firstStartedAt: startedMs, attempt: 1, wasSuspended, timeline: null };
      }
      const row = await find(job_id);
      if (isStarted && row !== undefined) {
        // As if the job had begun later by what it has waited for people.
        const firstStartedAt = Date.parse(row.started_at) + row.waited_ms;
        const { attempts: attempt, timeline } = row;
        return { kind: "started", firstStartedAt, attempt, wasSuspended, timeline };
      }
      return row === undefined || row.status === "running" ? { kind: "stale" } : { kind: "ended", row };
    },

    /** Whether the job has a row. */
    isKnown: (jobId: string): Promise<boolean> => knownJobs.load(jobId),

    /** The row of a job that has ended. */
    async findEnded(jobId: string): Promise<JobRow | null> {
      const row = await find(jobId);
      return row === undefined || row.status === "running" ? null : row;
    },

    isEnded: async (jobId: string): Promise<boolean> => ((await find(jobId))?.status ?? "running") !== "running",

    /** False also for a job without a row. */
    isRunning: async (jobId: string): Promise<boolean> => (await find(jobId))?.status === "running",

    /** Makes `lastSeq` the number of the job's `done`, if it is above the row's. */
    async raiseLastSeq(jobId: string, lastSeq: number): Promise<void> {
      await write([{ query: statements.raiseLastSeq({ id: jobId, last_seq: lastSeq }) }]);
    },

    /** Writes the job's end and its answer. False: it has another fencing token or has ended; nothing was written. */
    async end(
      { job_id, session_id, tool_results = [] }: JobPayload,
      fencingToken: number,
      end: JobEnd,
    ): Promise<boolean> {
      const { status, error } = end;
      const { content, citations, finish_reason } = end.result;
      const finishedAt = new Date(now()).toISOString();
      const endJob = statements.endJob({
        id: job_id,
        fencing_token: fencingToken,
        status,
        result: JSON.stringify(end.result),
        usage: JSON.stringify(end.usage),
        error_code: error?.code ?? null,
        error_message: error?.message ?? null,
        last_seq: end.lastSeq,
        execution_time_ms: end.executionMs,
        timeline: end.timeline ?? null,
        finished_at: finishedAt,
      });
      const batch: WriteStatement[] = [{ query: endJob, guard: true }];
      if (session_id !== null) {
        // First, so that the batches of a session run one after the other.
        batch.unshift({ query: statements.touchSession({ id: session_id, updated_at: finishedAt }) });
        const openTurn = end.openTurn ?? null;
        for (const [at, call] of (end.calls ?? []).entries()) {
          // Behind the results and the question.
          const offset = tool_results.length + 1 + at;
          const message = { id: newId(), session_id, job_id, created_at: finishedAt, offset };
          const tokens = countTokens(call.result) + countTokens(`${call.name}${call.arguments}`);
          const result = { role: "tool", content: call.result.toWellFormed(), tokens_used: tokens } as const;
          batch.push({
            query: statements.insertToolMessage({ ...message, ...result, metadata: metadataOfCall(call) }),
          });
        }
        if (content !== "" || openTurn !== null) {
          const metadata = JSON.stringify({ status, finish_reason, citations });
          const message = { id: newId(), session_id, job_id, metadata, created_at: finishedAt };
          const answer = { role: "assistant", content, tokens_used: end.resultTokens } as const;
          const open_turn = openTurn === null ? null : encodeOpenTurn(openTurn);
          batch.push({ query: statements.insertAnswer({ ...message, ...answer, open_turn }) });
        }
        const whole = openTurn === null ? null : encodeWholeTurns(end.wholeTurns ?? []);
        if (whole !== null) batch.push({ query: statements.insertWholeTurns({ job_id, ...whole }) });
        if (status === "completed" && openTurn === null && tool_results.length > 0) {
          batch.push({ query: statements.deleteWholeTurns(session_id) });
        }
        batch.push({ query: statements.freeOrdinal({ id: job_id }) });
      }
      // No other run has this fencing token.
      const written = () => table("agent_logs").where({ id: job_id, fencing_token: fencingToken, status });
      const isWritten = await write(batch, {
        beforeCommit: atFailpoint("message_written", job_id),
        written,
        // Behind a start that may not be written yet.
        inOrder: job_id,
      });
      if (isWritten) failpoint("state_written", job_id);
      return isWritten;
    },
  };
}
