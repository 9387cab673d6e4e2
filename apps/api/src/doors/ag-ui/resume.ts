/** Answers to interrupts as decisions on what a job has asked. */
import type { Decision, Inquiry } from "@agent-paas/shared/contract/inquiries.ts";
import { z } from "zod";
import { JsonObjectSchema, validate } from "../../validation/validate.ts";
import type { ResumeEntry } from "./run-input.ts";

const ApprovalSchema = z.strictObject({
  approved: z.boolean(),
  reason: z.string().optional(),
  arguments: JsonObjectSchema.optional(),
});

/** JSON Schema of the answer to an approval. */
export const APPROVAL = {
  type: "object",
  properties: {
    approved: { type: "boolean" },
    reason: { type: "string", description: "Why it is rejected, for the model." },
    arguments: { type: "object", description: "Other arguments to make the call with." },
  },
  required: ["approved"],
  additionalProperties: false,
} as const;

/** Throws `invalid_request`. `at`: the place of the entry in `resume`. */
export function decisionOf({ status, payload }: ResumeEntry, { type }: Inquiry, at: number): Decision {
  if (status === "cancelled") return { decision: "reject" };
  if (type === "input") return { decision: "answer", answer: payload };
  const { approved, reason, arguments: edited } = validate(ApprovalSchema, payload, ["resume", at, "payload"]);
  if (!approved) return { decision: "reject", ...(reason === undefined ? {} : { reason }) };
  return edited === undefined ? { decision: "approve" } : { decision: "edit", arguments: edited };
}
