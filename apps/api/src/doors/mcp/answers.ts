/** What clients send besides requests: answers of their users, and that a request is not wanted any more. */
import type { Decision } from "@agent-paas/shared/contract/inquiries.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { Fields } from "@agent-paas/shared/json/fields.ts";
import type { Caller } from "../../http/door.ts";
import { cancelJob } from "../../jobs/cancel-job.ts";
import { decideJob } from "../../jobs/decide-job.ts";
import { findJob } from "../../jobs/find-job.ts";
import type { Services } from "../../services.ts";
import { type ClientSession, callKey } from "./client-session.ts";
import { decisionOf, decisionOfResponse, ElicitResultSchema, findOpen, unanswered } from "./inquiries.ts";
import { RequestIdSchema } from "./protocol.ts";
import type { RpcResponse } from "./read-message.ts";
import type { AnsweredQuestion } from "./state.ts";

/**
 * Decides what the answers decide, by the id of the question; those that are no answers, or to no question, are left
 * out. Throws `job_not_found`, and `invalid_request` for an answer that does not fit its question.
 */
export async function decideAnswers(services: Services, owner: string, jobId: string, answers: Fields): Promise<void> {
  await findJob(services, owner, jobId);
  const decisions = (await findOpen(services, jobId)).flatMap((inquiry) => {
    const answer = ElicitResultSchema.safeParse(answers[inquiry.request_id]);
    const decision = answer.success ? decisionOf(inquiry, answer.data) : null;
    return decision === null ? [] : [{ request_id: inquiry.request_id, ...decision }];
  });
  if (decisions.length > 0) await decideJob(services, owner, jobId, decisions);
}

/**
 * Decides a question by the response to it, whatever that is; to a question that is not open it is nothing. Throws
 * `job_not_found`.
 */
export async function decideByResponse(
  services: Services,
  owner: string,
  { jobId, inquiryId }: AnsweredQuestion,
  response: RpcResponse,
): Promise<void> {
  await findJob(services, owner, jobId);
  const inquiry = (await findOpen(services, jobId)).find(({ request_id }) => request_id === inquiryId);
  if (inquiry === undefined) return;
  const decide = (decision: Decision) => decideJob(services, owner, jobId, [{ request_id: inquiryId, ...decision }]);
  try {
    await decide(decisionOfResponse(inquiry, response));
  } catch (error) {
    if (!(error instanceof PlatformError) || error.code !== "invalid_request") throw error;
    await decide(unanswered(`the answer does not fit: ${error.message}`));
  }
}

/**
 * `notifications/cancelled`: the job of the client's call, whichever API process follows it. Without an
 * Mcp-Session-Id there is nothing that says whose request has the number.
 */
export async function cancelCall(
  services: Services,
  { owner, note }: Caller,
  client: ClientSession | null,
  params: Fields,
): Promise<void> {
  const requestId = RequestIdSchema.safeParse(params.requestId);
  if (client === null || !requestId.success) return;
  const jobId = await services.acceptedJobs.find(owner, callKey(client, requestId.data));
  if (jobId === null) return;
  try {
    await cancelJob(services, owner, jobId);
    note({ job_id: jobId, cancel_requested: true });
  } catch (error) {
    if (!(error instanceof PlatformError) || error.code !== "job_not_found") throw error;
  }
}
