/** What an agent receives of its job: the task, and the history of its session. */
import type { AgentInput } from "@agent-paas/agents/agent/agent.ts";
import type { JobPayload } from "@agent-paas/shared/contract/jobs.ts";
import type { SessionRepository } from "../storage/session-repository.ts";

/** @param row resolves when the job's row is written. */
export function inputOf(payload: JobPayload, sessions: SessionRepository, row: Promise<unknown>): AgentInput {
  const { session_id: sessionId, begins_session: isFirst, job_id: jobId } = payload;
  return {
    kind: payload.kind,
    text: payload.text,
    data: payload.input,
    history: {
      async latest({ maxTokens }) {
        if (sessionId === null || isFirst) return [];
        // The history ends with the question, which is written with the row.
        await row;
        return sessions.latestMessages(sessionId, jobId, maxTokens);
      },
    },
  };
}
