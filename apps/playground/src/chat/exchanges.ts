/** A conversation as it is shown: of each job its question and its answer. */
import type { Job, Message, MessagePart } from "@agent-paas/client";
import type { Turn } from "./turn.ts";

export type Exchange = {
  readonly key: string;
  readonly jobId: string | null;
  /** Null for a job that goes on with results of tools. */
  readonly question: {
    /** Null until the platform has written it. */
    readonly id: string | null;
    readonly content: string | readonly MessagePart[];
    readonly at: string | null;
  } | null;
  /** What the history has of the answer. */
  readonly answers: readonly Message[];
  /** The job that this page follows or has followed. */
  readonly turn: Turn | null;
  /** The job, as the platform told last. */
  readonly job: Job | null;
};

/**
 * `turns` are those of this page: each takes the place of what the history has of its job. What a turn replaces is left
 * out until the history is without it.
 */
export function exchangesOf(
  messages: readonly Message[],
  turns: readonly Turn[],
  jobs: ReadonlyMap<string, Job>,
): readonly Exchange[] {
  const turnOf = new Map(turns.map((turn) => [turn.jobId.value, turn]));
  const exchanges: Exchange[] = [];
  for (const [jobId, group] of Map.groupBy(withoutReplaced(messages, turns), (message) => message.job_id)) {
    const question = group.find(({ role }) => role === "user");
    exchanges.push({
      key: jobId,
      jobId,
      question: question
        ? { id: question.id, content: question.parts ?? question.content, at: question.created_at }
        : null,
      answers: group.filter(({ role, content }) => role === "assistant" && content !== ""),
      turn: turnOf.get(jobId) ?? null,
      job: jobs.get(jobId) ?? null,
    });
  }
  const shown = new Set(exchanges.map(({ jobId }) => jobId));
  for (const turn of turns) {
    const jobId = turn.jobId.value;
    if (jobId !== null && shown.has(jobId)) continue;
    // What has left the history was replaced.
    if (turn.wasStored) continue;
    exchanges.push({
      key: jobId ?? turn.key,
      jobId,
      question: turn.question === null ? null : { id: null, content: turn.question, at: null },
      answers: [],
      turn,
      job: jobId === null ? null : (jobs.get(jobId) ?? null),
    });
  }
  return exchanges;
}

function withoutReplaced(messages: readonly Message[], turns: readonly Turn[]): readonly Message[] {
  const replaced = turns.filter(({ isSettled }) => !isSettled).map(({ replaces }) => replaces);
  const from = messages.findIndex(({ id }) => replaced.includes(id));
  return from === -1 ? messages : messages.slice(0, from);
}

/** The text of a message, without its images and files. */
export const textOf = (content: string | readonly MessagePart[]): string =>
  typeof content === "string"
    ? content
    : content
        .map((part) => (part.type === "text" ? part.text : ""))
        .filter(Boolean)
        .join("\n");
