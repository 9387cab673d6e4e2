/** The messages of a session as the model gets them: each call with its result, or with words that say it has none. */
import type { ModelMessage } from "@agent-paas/agents/model/model.ts";
import type { ToolResult } from "@agent-paas/shared/contract/client-tools.ts";
import type { OpenTurn } from "../storage/open-turn.ts";
import type { HistoryRow, SessionRepository } from "../storage/session-repository.ts";
import { type FinishedCall, readCall, readClientResult } from "../storage/tool-messages.ts";

type PartsOf = Awaited<ReturnType<SessionRepository["partsOf"]>>;

/** What the model is told of a call whose client sent no result. */
const UNANSWERED = "The client sent no result of this call.";

/**
 * @param rows oldest first.
 * @param answers the results of the newest open turn; default: those that the rows have.
 */
export function asHistory(
  rows: readonly HistoryRow[],
  partsOf: PartsOf,
  answers?: readonly ToolResult[],
): ModelMessage[] {
  const open = openTurnsOf(rows);
  const newest = [...open.values()].at(-1);
  if (newest !== undefined && answers !== undefined) newest.results = resultsOf(answers);
  const finished = Map.groupBy(rows.flatMap(finishedCallOf), ({ key }) => key);
  const shown = new Set([...open.values()].map(({ key }) => key));
  return rows.flatMap((row, at): ModelMessage[] => {
    const { job_id, role, content } = row;
    const turn = open.get(at);
    if (turn !== undefined) {
      const made = (finished.get(turn.key) ?? []).map(({ id, result }) => [id, result] as const);
      return writeOpenTurn(content, turn, new Map([...turn.results, ...made]));
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

type OpenRow = OpenTurn & { readonly key: string; results: Map<string, string> };

/** By the place of their rows, with the results that came behind them. */
function openTurnsOf(rows: readonly HistoryRow[]): ReadonlyMap<number, OpenRow> {
  const turns = new Map<number, OpenRow>();
  let latest: OpenRow | undefined;
  for (const [at, { job_id, role, content, call, open_turn: turn }] of rows.entries()) {
    if (turn !== null) {
      latest = { ...turn, key: keyOf(job_id, turn.turn), results: new Map() };
      turns.set(at, latest);
    } else if (role === "tool" && call !== null) {
      const callId = readClientResult(call);
      // The client of a job that failed may send its results again: the later ones count.
      if (callId !== null) latest?.results.set(callId, content);
    }
  }
  return turns;
}

function writeOpenTurn(content: string, { message }: OpenRow, results: ReadonlyMap<string, string>): ModelMessage[] {
  const { toolCalls = [] } = message;
  return [
    { ...message, content },
    ...toolCalls.map(({ id }) => ({ role: "tool" as const, callId: id, content: results.get(id) ?? UNANSWERED })),
  ];
}

const keyOf = (jobId: string, turn: number): string => `${jobId} ${turn}`;

function finishedCallOf({ job_id, role, content, call }: HistoryRow): (FinishedCall & { readonly key: string })[] {
  const read = role === "tool" && call !== null ? readCall({ content, metadata: call }) : null;
  return read === null ? [] : [{ ...read, key: keyOf(job_id, read.turn) }];
}

const resultsOf = (results: readonly ToolResult[]): Map<string, string> =>
  new Map(results.map(({ call_id, content }) => [call_id, content]));
