/** What clients send besides requests: answers of their users, and that a request is not wanted any more. */
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { Fields } from "@agent-paas/shared/json/fields.ts";
import type { Caller } from "../../http/door.ts";
import { cancelJob } from "../../jobs/cancel-job.ts";
import { decideJob } from "../../jobs/decide-job.ts";
import { findJob } from "../../jobs/find-job.ts";
import type { Services } from "../../services.ts";
import { type ClientSession, callKey } from "./client-session.ts";
import { decisionOf, ElicitResultSchema, findOpen } from "./inquiries.ts";
import { RequestIdSchema } from "./protocol.ts";

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
