/** Results of calls of the client that the model was not told: those that were refused, and those sent again since. */
import type { MessageRow } from "@agent-paas/shared/db/rows.ts";
import { z } from "zod";

const ResultSchema = z.object({ call_id: z.string(), client: z.literal(true) });
const AnswerSchema = z.object({ status: z.literal("completed") });

type OpenTurn = {
  readonly jobId: string;
  /** The job with which the session went on; null: none has yet. */
  next: string | null;
  readonly latest: Map<string, MessageRow>;
};

/** @param rows of a session, oldest first. The rule is that of the worker's histories. */
export function refusedResults(rows: readonly MessageRow[]): ReadonlySet<MessageRow> {
  const isAnswer = ({ role, metadata }: MessageRow) =>
    role === "assistant" && AnswerSchema.safeParse(JSON.parse(metadata)).success;
  const completed = new Set(rows.filter(isAnswer).map(({ job_id }) => job_id));
  const refused = new Set<MessageRow>();
  let turn: OpenTurn | null = null;
  for (const row of rows) {
    if (turn !== null && turn.next === null && turn.jobId !== row.job_id && completed.has(row.job_id)) {
      turn.next = row.job_id;
    }
    const result = row.role === "tool" ? ResultSchema.safeParse(JSON.parse(row.metadata)).data : undefined;
    if (turn !== null && result !== undefined) {
      const before = turn.latest.get(result.call_id);
      if (turn.next !== null && turn.next !== row.job_id) refused.add(row);
      else if (before !== undefined) refused.add(before);
      if (!refused.has(row)) turn.latest.set(result.call_id, row);
    }
    // The column is missing until a worker of this version has migrated the database.
    if (row.open_turn != null) turn = { jobId: row.job_id, next: null, latest: new Map() };
  }
  return refused;
}
