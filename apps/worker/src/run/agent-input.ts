/** What an agent receives of its job: the task, and the history of its session. */
import type { AgentInput } from "@agent-paas/agents/agent/agent.ts";
import type { ModelMessage } from "@agent-paas/agents/model/model.ts";
import type { GivenMessage } from "@agent-paas/shared/contract/given-messages.ts";
import type { JobPayload } from "@agent-paas/shared/contract/jobs.ts";
import type { SessionRepository } from "../storage/session-repository.ts";
import type { ContinuedTurn } from "./continued-turn.ts";
import { asHistory, partsOf } from "./history.ts";

/**
 * @param row resolves when the job's row is written.
 * @param turn the one of the session that the job goes on with; null: none.
 */
export function inputOf(
  payload: JobPayload,
  sessions: SessionRepository,
  row: Promise<unknown>,
  turn: ContinuedTurn | null,
): AgentInput {
  const { session_id: sessionId, begins_session: isFirst, job_id: jobId } = payload;
  const given = (payload.history ?? []).map(asMessage);
  const continues = turn?.messages ?? givenTurn(payload, given);
  const before = turn === null && continues !== undefined ? given.slice(0, -continues.length) : given;
  return {
    kind: payload.kind,
    text: payload.text,
    ...(payload.parts === undefined ? {} : { parts: payload.parts }),
    data: payload.input,
    history: {
      async latest({ maxTokens, withCalls }) {
        if (sessionId === null || isFirst) return before;
        // The history ends with the question, which is written with the row.
        await row;
        const messages = await sessions.latestMessages(sessionId, jobId, { maxTokens, withCalls, before: turn?.from });
        return [...before, ...asHistory(messages, await partsOf(messages, sessions))];
      },
    },
    ...(continues === undefined ? {} : { continues }),
  };
}

/** A request without a question goes on with what its own messages end with. */
function givenTurn({ text, parts }: JobPayload, given: readonly ModelMessage[]): readonly ModelMessage[] | undefined {
  if (given.length === 0 || given.at(-1)?.role === "user" || text !== "" || parts !== undefined) return undefined;
  return given.slice(
    Math.max(
      0,
      given.findLastIndex(({ role }) => role === "user"),
    ),
  );
}

function asMessage(message: GivenMessage): ModelMessage {
  const { role, content } = message;
  if (role === "tool") return { role, content, callId: message.call_id };
  if (role === "user" && message.parts !== undefined) return { role, content, parts: message.parts };
  if (role === "assistant" && message.tool_calls !== undefined) return { role, content, toolCalls: message.tool_calls };
  return { role, content };
}
