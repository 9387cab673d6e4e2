/** The result of a tool call, from how its job ended. */
import type { JobError, JobResult, JobStatus, Usage } from "@agent-paas/shared/contract/jobs.ts";
import { resultOfRow } from "@agent-paas/shared/db/job-end.ts";
import type { JobRow } from "@agent-paas/shared/db/rows.ts";
import { ERROR_CODES, type ErrorCode } from "@agent-paas/shared/errors/codes.ts";
import { type Fields, isFields } from "@agent-paas/shared/json/fields.ts";
import { isAnswer } from "../../jobs/is-answer.ts";

export type CallEnd = {
  readonly jobId: string;
  readonly sessionId: string | null;
  readonly status: JobStatus;
  readonly result: JobResult | null;
  readonly error: JobError | null;
  readonly usage: Usage | null;
};

type TextBlock = { readonly type: "text"; readonly text: string; readonly annotations?: object };

export type CallResult = {
  readonly content: readonly TextBlock[];
  readonly structuredContent?: Fields;
  readonly isError: boolean;
  readonly _meta: Fields;
};

export const endOfRow = (row: JobRow): CallEnd => ({
  jobId: row.id,
  sessionId: row.session_id,
  status: row.status,
  result: row.result === null ? null : resultOfRow(row),
  error: row.error_code === null ? null : { code: row.error_code, message: row.error_message ?? "" },
  usage: row.usage === null ? null : (JSON.parse(row.usage) as Usage),
});

const text = (words: string): TextBlock => ({ type: "text", text: words });
/** For the model: what it needs to go on with the conversation. */
const sessionBlock = (id: string): TextBlock => ({
  ...text(`session_id: ${id}`),
  annotations: { audience: ["assistant"] },
});

/** The first text is the answer, or why there is none. */
export function callResult({ jobId, sessionId, status, result, error, usage }: CallEnd): CallResult {
  const { content = "", finish_reason, citations = [] } = result ?? {};
  const _meta = {
    ...{ job_id: jobId, session_id: sessionId, status, usage },
    ...(finish_reason === undefined ? {} : { finish_reason }),
    ...(citations.length === 0 ? {} : { citations }),
  };
  if (status !== "completed") {
    const { code, message } = error ?? { code: status, message: "The job was cancelled." };
    const partial = content === "" ? [] : [text(content)];
    return { ...errorResult(code, message, _meta), content: [text(`${code}: ${message}`), ...partial] };
  }
  const structured = structuredOf(result);
  return {
    content: [
      text(content),
      ...citations.map(({ marker, source, heading }) => text([marker, source, heading].filter(Boolean).join(" "))),
      ...(sessionId === null ? [] : [sessionBlock(sessionId)]),
    ],
    ...(structured === null ? {} : { structuredContent: structured }),
    isError: false,
    _meta,
  };
}

/** A call that has no answer, for the model to read. */
export const errorResult = (code: string, message: string, more: Fields = {}): CallResult => ({
  content: [text(`${code}: ${message}`)],
  isError: true,
  _meta: { ...more, error: { code, message, retryable: ERROR_CODES[code as ErrorCode]?.retryable ?? false } },
});

/** The answer as an object, where the answer is one; what an agent returns beside its answer is not the answer. */
function structuredOf(result: JobResult | null): Fields | null {
  if (result === null || !isFields(result.data)) return null;
  return isAnswer(result.data, result.content) ? result.data : null;
}
