/** POST /jobs/{id}/decisions: decides what a job has asked people. The job goes on when all of it is decided. */
import { DecisionSchema } from "@agent-paas/shared/contract/inquiries.ts";
import { z } from "zod";
import type { Route } from "../../../http/door.ts";
import { decideJob } from "../../../jobs/decide-job.ts";
import { findJob } from "../../../jobs/find-job.ts";
import type { Services } from "../../../services.ts";
import { bodySchema, JsonObjectSchema, JsonSchema, pathId, validate } from "../../../validation/validate.ts";
import { viewOf } from "../job-view.ts";

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
});

export const postJobDecisions = (services: Services): Route => ({
  method: "post",
  path: "/jobs/:id/decisions",
  access: "key",
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
