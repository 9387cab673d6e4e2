/** POST /jobs/{id}/decisions: decides what a job has asked people. The job goes on when all of it is decided. */
import { DecisionSchema } from "@agent-paas/shared/contract/inquiries.ts";
import { IdSchema } from "@agent-paas/shared/ids.ts";
import { z } from "zod";
import type { Route } from "../../../http/door.ts";
import { asJson, jsonResponse } from "../../../http/operation.ts";
import { READ_ERRORS } from "../../../http/route-errors.ts";
import { decideJob } from "../../../jobs/decide-job.ts";
import { findJob } from "../../../jobs/find-job.ts";
import type { Services } from "../../../services.ts";
import { bodySchema, JsonObjectSchema, JsonSchema, pathId, validate } from "../../../validation/validate.ts";
import { AcceptedJobSchema, InquiryViewSchema, viewOf } from "../job-view.ts";

/** More inquiries than one job can have: a turn has far fewer calls. */
const MAX_DECISIONS = 100;

const DecisionsRequestSchema = bodySchema({
  decisions: z
    .array(
      bodySchema({
        ...DecisionSchema.shape,
        request_id: z.string().min(1).max(200),
        arguments: JsonObjectSchema.optional(),
        answer: JsonSchema.optional(),
      }),
    )
    .min(1)
    .max(MAX_DECISIONS),
}).meta({ examples: [{ decisions: [{ request_id: "call_6f2a", decision: "approve" }] }] });

const DecidedSchema = AcceptedJobSchema.extend({ waiting_for: z.array(InquiryViewSchema) }).meta({ id: "DecidedJob" });

export const postJobDecisions = (services: Services): Route => ({
  method: "post",
  path: "/jobs/:id/decisions",
  access: "key",
  operation: {
    id: "decideJob",
    tag: "Jobs",
    summary: "Decide what a job waits for",
    description: "Each decision is made once; the same again changes nothing. The job goes on when all is decided.",
    params: { id: IdSchema },
    body: asJson(DecisionsRequestSchema),
    responses: { 200: jsonResponse("The decisions are made; `waiting_for` is what is left.", DecidedSchema) },
    errors: [
      ...READ_ERRORS,
      ...(["not_replicated", "job_not_found", "request_not_found", "decision_conflict", "job_not_waiting"] as const),
    ],
  },
  async handle(req, res, { owner, note }) {
    const id = pathId(req.params);
    const { decisions } = validate(DecisionsRequestSchema, req.body);
    await decideJob(services, owner, id, decisions);
    note({ job_id: id, decisions: decisions.length });
    const { status, waiting_for, links } = viewOf(await findJob(services, owner, id), null);
    const decided = new Set(decisions.map(({ request_id }) => request_id));
    res.json({ job_id: id, status, waiting_for: waiting_for.filter((one) => !decided.has(one.request_id)), links });
  },
});
