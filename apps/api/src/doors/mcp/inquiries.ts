/**
 * What a job asks people, as the protocol asks them (elicitation): a form that the client shows its user. A question
 * carries its job and its own id, so the answer may reach any API process.
 */
import { type Decision, type Inquiry, MAX_REASON } from "@agent-paas/shared/contract/inquiries.ts";
import type { InquiryRow } from "@agent-paas/shared/db/rows.ts";
import { parseJson } from "@agent-paas/shared/json/exact-json.ts";
import { type Fields, isFields } from "@agent-paas/shared/json/fields.ts";
import { cutText } from "@agent-paas/shared/text.ts";
import { z } from "zod";
import type { Services } from "../../services.ts";
import { formOf } from "./form.ts";
import type { RpcResponse } from "./read-message.ts";

export type OpenInquiry = Inquiry & { readonly request_id: string };

/** What the job waits for, without what is decided although no worker has seen it yet. */
export async function findOpen(
  { jobs, decisions }: Pick<Services, "jobs" | "decisions">,
  jobId: string,
): Promise<OpenInquiry[]> {
  const rows = await jobs.openInquiries([jobId]);
  const made = rows.length === 0 ? new Map() : await decisions.read(jobId);
  return rows.filter(({ request_id }) => !made.has(request_id)).map(asOpen);
}

const asOpen = ({ inquiry, request_id }: InquiryRow): OpenInquiry => ({
  ...(parseJson(inquiry) as Inquiry),
  request_id,
});

/** Whether a client of these capabilities shows forms; one that says no more than `elicitation` does. */
export function showsForms(capabilities: Fields): boolean {
  const { elicitation } = capabilities;
  return isFields(elicitation) && (isFields(elicitation.form) || elicitation.url === undefined);
}

const APPROVAL_FORM = {
  type: "object",
  properties: {
    decision: { type: "string", enum: ["approve", "reject"], description: "Whether the call may be made." },
    reason: { type: "string", maxLength: MAX_REASON, description: "What the model is told besides." },
  },
  required: ["decision"],
} as const;

/** The question as parameters of `elicitation/create`; null for an answer that no form takes. */
export function elicitationOf(inquiry: OpenInquiry): object | null {
  if (inquiry.type === "approval") {
    const message = `May the tool ${inquiry.tool} be called with ${JSON.stringify(inquiry.arguments)}?`;
    return { mode: "form", message, requestedSchema: APPROVAL_FORM };
  }
  const { question: message, schema } = inquiry;
  const form = formOf(schema);
  return form === null ? null : { mode: "form", message, requestedSchema: form.requestedSchema };
}

export const ElicitResultSchema = z.looseObject({
  action: z.enum(["accept", "decline", "cancel"]),
  content: z.looseObject({}).optional(),
});

/** Whether the user has left a question open. */
export const isDismissed = (answers: Fields): boolean =>
  Object.values(answers).some((answer) => ElicitResultSchema.safeParse(answer).data?.action === "cancel");

/** Null: the user has decided nothing. What does not fit is refused where decisions are taken. */
export function decisionOf(inquiry: OpenInquiry, answer: z.output<typeof ElicitResultSchema>): Decision | null {
  const { action, content = {} } = answer;
  if (action === "cancel") return null;
  if (action === "decline") return { decision: "reject" };
  if (inquiry.type === "input") {
    return { decision: "answer", answer: formOf(inquiry.schema)?.answerIn(content) };
  }
  const reason = typeof content.reason === "string" && content.reason !== "" ? { reason: content.reason } : {};
  return { decision: content.decision === "approve" ? "approve" : "reject", ...reason };
}

/** Of a question that will have no answer: with one that stays open, its call would stay open as well. */
export const unanswered = (why: string): Decision => ({ decision: "reject", reason: cutText(why, MAX_REASON) });

/** What a client's response to its question decides. */
export function decisionOfResponse(inquiry: OpenInquiry, { result, error }: RpcResponse): Decision {
  if (error !== null) return unanswered(`the client could not ask its user: ${error.message}`);
  const answer = ElicitResultSchema.safeParse(result);
  if (!answer.success) return unanswered("the client's response is no answer to a question");
  return decisionOf(inquiry, answer.data) ?? unanswered("the user has closed the question without an answer");
}

/** The words for a client that cannot ask its user. */
export function describeWaiting(open: readonly OpenInquiry[], jobPath: string): string {
  const asked = open.map((one) =>
    one.type === "approval"
      ? `approval of ${one.tool} with ${JSON.stringify(one.arguments)} (${one.request_id})`
      : `an answer to "${one.question}" (${one.request_id})`,
  );
  return (
    `The job waits for a person: ${asked.join("; ")}. It goes on after POST ${jobPath}/decisions; ` +
    `GET ${jobPath} has its answer then.`
  );
}
