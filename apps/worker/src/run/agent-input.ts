/** What an agent receives of its job: the task, and the history of its session. */
import type { AgentInput, HistoryMessage } from "@agent-paas/agents/agent/agent.ts";
import type { GivenMessage } from "@agent-paas/shared/contract/given-messages.ts";
import type { JobPayload } from "@agent-paas/shared/contract/jobs.ts";
import type { HistoryRow, SessionRepository } from "../storage/session-repository.ts";
import { readCall } from "../storage/tool-messages.ts";

/** @param row resolves when the job's row is written. */
export function inputOf(payload: JobPayload, sessions: SessionRepository, row: Promise<unknown>): AgentInput {
  const { session_id: sessionId, begins_session: isFirst, job_id: jobId, history = [] } = payload;
  const given = history.map(asMessage);
  return {
    kind: payload.kind,
    text: payload.text,
    ...(payload.parts === undefined ? {} : { parts: payload.parts }),
    data: payload.input,
    history: {
      async latest({ maxTokens, withCalls }) {
        if (sessionId === null || isFirst) return given;
        // The history ends with the question, which is written with the row.
        await row;
        const messages = await sessions.latestMessages(sessionId, jobId, maxTokens, withCalls);
        const questions = messages.filter(({ role }) => role === "user").map(({ job_id }) => job_id);
        const partsOf = await sessions.partsOf(questions.reverse());
        return [...given, ...asHistory(messages, partsOf)];
      },
    },
  };
}

type PartsOf = Awaited<ReturnType<SessionRepository["partsOf"]>>;

function asMessage(message: GivenMessage): HistoryMessage {
  const { role, content } = message;
  if (role === "tool") return { role, content, callId: message.call_id };
  if (role === "user" && message.parts !== undefined) return { role, content, parts: message.parts };
  if (role === "assistant" && message.tool_calls !== undefined) return { role, content, toolCalls: message.tool_calls };
  return { role, content };
}

/** The calls of one model turn are one message of the assistant, and their results follow it. */
function asHistory(rows: readonly HistoryRow[], partsOf: PartsOf): HistoryMessage[] {
  const turnOf = (row: HistoryRow) => {
    const call = row.call === null ? null : readCall({ content: row.content, metadata: row.call });
    return call && { ...call, key: `${row.job_id} ${call.turn}` };
  };
  const calls = Map.groupBy(rows.map(turnOf), (call) => call?.key);
  const shown = new Set<string>();
  return rows.flatMap((row): HistoryMessage[] => {
    const { job_id, role, content } = row;
    if (role === "tool") {
      const key = turnOf(row)?.key;
      if (key === undefined || shown.has(key)) return [];
      shown.add(key);
      const ofTurn = (calls.get(key) ?? []).filter((call) => call !== null);
      const toolCalls = ofTurn.map(({ id, name, arguments: args }) => ({ id, name, arguments: args }));
      const results = ofTurn.map(({ id, result }) => ({ role: "tool" as const, callId: id, content: result }));
      return [{ role: "assistant", content: "", toolCalls }, ...results];
    }
    const parts = role === "user" ? partsOf.get(job_id) : undefined;
    return [{ role, content, ...(parts === undefined ? {} : { parts }) }];
  });
}
