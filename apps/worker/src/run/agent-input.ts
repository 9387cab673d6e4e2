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
    ...(payload.parts === undefined ? {} : { parts: payload.parts }),
    data: payload.input,
    history: {
      async latest({ maxTokens }) {
        if (sessionId === null || isFirst) return [];
        // The history ends with the question, which is written with the row.
        await row;
        const messages = await sessions.latestMessages(sessionId, jobId, maxTokens);
        const questions = messages.filter(({ role }) => role === "user").map(({ job_id }) => job_id);
        const partsOf = await sessions.partsOf(questions.reverse());
        return messages.map(({ job_id, role, content }) => {
          const parts = role === "user" ? partsOf.get(job_id) : undefined;
          return { role, content, ...(parts === undefined ? {} : { parts }) };
        });
      },
    },
  };
}
