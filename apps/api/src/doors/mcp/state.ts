/** What travels through the client and comes back with its user's answer. Whoever changes it reaches own jobs only. */
import { IdSchema } from "@agent-paas/shared/ids.ts";
import { EventIdSchema } from "../../http/headers.ts";
import type { RequestId } from "./protocol.ts";

export type CallState = {
  readonly jobId: string /** Of the job's log, what the client has seen. */;
  readonly after: number;
};

export const encodeRequestState = ({ jobId, after }: CallState): string => `${jobId}.${after}`;

/** Null for what is none. */
export function readRequestState(state: unknown): CallState | null {
  const [id, after = "", ...rest] = typeof state === "string" ? state.split(".") : [];
  const jobId = IdSchema.safeParse(id);
  return jobId.success && rest.length === 0 && EventIdSchema.safeParse(after).success
    ? { jobId: jobId.data, after: Number(after) }
    : null;
}

/** The id of a request to the client: it comes back with the answer. */
export const questionId = (jobId: string, inquiryId: string): string => `${jobId}/${inquiryId}`;

export type AnsweredQuestion = { readonly jobId: string; readonly inquiryId: string };

/** Null for the id of another request. */
export function readQuestionId(id: RequestId): AnsweredQuestion | null {
  const [first, ...rest] = String(id).split("/");
  const jobId = IdSchema.safeParse(first);
  const inquiryId = rest.join("/");
  return jobId.success && inquiryId !== "" ? { jobId: jobId.data, inquiryId } : null;
}
