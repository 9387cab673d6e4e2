/** The messages of a session as the model gets them: each call with its result, or with words that say it has none. */
import type { ModelMessage } from "@agent-paas/agents/model/model.ts";
import type { ToolResult } from "@agent-paas/shared/contract/client-tools.ts";
import type { OpenTurn } from "../storage/open-turn.ts";
import { type HistoryRow, isDropped, type SessionRepository } from "../storage/session-repository.ts";
import { type FinishedCall, readCall, readClientResult } from "../storage/tool-messages.ts";
import type { WholeTurns } from "../storage/whole-turns.ts";

type PartsOf = Awaited<ReturnType<SessionRepository["partsOf"]>>;

/** What the model is told of a call whose client sent no result. */
const UNANSWERED = "The client sent no result of this call.";

/** What a job has that goes on with the newest open turn. */
export type GoingOn = {
  /** They go before those that the rows have. */
  readonly results: readonly ToolResult[];
  readonly whole: WholeTurns;
};

const HISTORY: GoingOn = { results: [], whole: new Map() };

/** @param rows oldest first. */
export function asHistory(
  rows: readonly HistoryRow[],
  partsOf: PartsOf,
  { results, whole }: GoingOn = HISTORY,
): ModelMessage[] {
  const open = openTurnsOf(rows);
  const newest = [...open.values()].at(-1);
  for (const { call_id, content } of results) newest?.results.set(call_id, content);
  const finished = Map.groupBy(rows.flatMap(finishedCallOf), ({ key }) => key);
  const kept = [...whole].flatMap(([jobId, turns]) => [...turns.keys()].map((turn) => keyOf(jobId, turn)));
  const shown = new Set([...[...open.values()].map(({ key }) => key), ...kept]);
  return rows.flatMap((row, at): ModelMessage[] => {
    const { job_id, role, content } = row;
    const turn = open.get(at);
    if (turn !== undefined) {
      const turns = new Map(whole.get(job_id));
      const [message = { ...turn.message, content }, ...made] = turns.get(turn.turn) ?? [];
      turns.delete(turn.turn);
      for (const { id, result } of finished.get(turn.key) ?? []) turn.results.set(id, result);
      for (const each of made) if (each.role === "tool") turn.results.set(each.callId, each.content);
      return [...[...turns.values()].flat(), message, ...writeResults(turn)];
    }
    if (role === "tool") {
      const [call] = finishedCallOf(row);
      if (call === undefined || shown.has(call.key)) return [];
      shown.add(call.key);
      const calls = finished.get(call.key) ?? [];
      const toolCalls = calls.map(({ id, name, arguments: args }) => ({ id, name, arguments: args }));
      const results = calls.map(({ id, result }) => ({ role: "tool" as const, callId: id, content: result }));
      return [{ role: "assistant", content: "", toolCalls }, ...results];
    }
    if (role === "user") {
      const parts = partsOf.get(job_id);
      return [{ role, content, ...(parts === undefined ? {} : { parts }) }];
    }
    return role === "assistant" ? [{ role, content }] : [];
  });
}

/** The parts of the questions among these messages, which stand oldest first. */
export function partsOf(rows: readonly HistoryRow[], sessions: Pick<SessionRepository, "partsOf">): Promise<PartsOf> {
  const questions = rows.filter(({ role }) => role === "user").map(({ job_id }) => job_id);
  return sessions.partsOf(questions.reverse());
}

type OpenRow = OpenTurn & {
  readonly key: string;
  readonly results: Map<string, string>;
  /** The job with which the session went on; null: none has yet. */
  next: string | null;
};

/**
 * By the place of their rows, with the results that count: those of the job with which the session went on, and for
 * calls that it left open those of failed and cancelled jobs before it. What came later was refused.
 */
function openTurnsOf(rows: readonly HistoryRow[]): ReadonlyMap<number, OpenRow> {
  const turns = new Map<number, OpenRow>();
  let latest: OpenRow | undefined;
  for (const [at, row] of rows.entries()) {
    const { job_id, open_turn: turn } = row;
    if (latest !== undefined && latest.next === null && !isDropped(row)) latest.next = job_id;
    const brought = latest === undefined || ![null, job_id].includes(latest.next) ? null : clientResultOf(row);
    if (brought !== null) latest?.results.set(...brought);
    if (turn === null) continue;
    latest = { ...turn, key: keyOf(job_id, turn.turn), results: new Map(), next: null };
    turns.set(at, latest);
  }
  return turns;
}

function clientResultOf({ role, content, call }: HistoryRow): [callId: string, content: string] | null {
  const callId = role === "tool" && call !== null ? readClientResult(call) : null;
  return callId === null ? null : [callId, content];
}

const writeResults = ({ message: { toolCalls = [] }, results }: OpenRow): ModelMessage[] =>
  toolCalls.map(({ id }) => ({ role: "tool", callId: id, content: results.get(id) ?? UNANSWERED }));

const keyOf = (jobId: string, turn: number): string => `${jobId} ${turn}`;

function finishedCallOf({ job_id, role, content, call }: HistoryRow): (FinishedCall & { readonly key: string })[] {
  const read = role === "tool" && call !== null ? readCall({ content, metadata: call }) : null;
  return read === null ? [] : [{ ...read, key: keyOf(job_id, read.turn) }];
}
