/** GET /jobs/{id}/steps: what a job has done so far and when, also long after its events are gone. */
import { TokenCountsSchema } from "@agent-paas/shared/contract/jobs.ts";
import { ATTEMPT_OUTCOMES, STEP_KINDS, STEP_STATUSES } from "@agent-paas/shared/contract/timeline.ts";
import { IdSchema } from "@agent-paas/shared/ids.ts";
import { z } from "zod";
import type { Route } from "../../../http/door.ts";
import { jsonResponse } from "../../../http/operation.ts";
import { READ_ERRORS } from "../../../http/route-errors.ts";
import { readJobSteps } from "../../../jobs/job-steps.ts";
import type { Services } from "../../../services.ts";
import { pathId } from "../../../validation/validate.ts";
import { JOB_ID, TIME } from "../examples.ts";
import { JobStatusSchema } from "../job-view.ts";

const TIMES = { started_at: TIME, ended_at: TIME };
const USAGE = { input_tokens: 9, output_tokens: 5, total_tokens: 14 };
const EXAMPLE = {
  ...{ job_id: JOB_ID, status: "completed" },
  attempts: [{ attempt: 1, worker: "worker-1", ...TIMES, outcome: "completed" }],
  steps: [
    { id: "wait-1", parent_id: null, attempt: 1, kind: "wait", name: "queue", status: "completed", ...TIMES },
    {
      ...{ id: "1", parent_id: null, attempt: 1, kind: "model", name: "gpt-5-mini", status: "completed" },
      ...{ ...TIMES, first_token_at: TIME, usage: USAGE },
    },
  ],
  truncated: false,
};

const ended_at = z.iso.datetime().nullable().describe("Null while it runs.");

const AttemptSchema = z
  .object({
    attempt: z.int(),
    worker: z.string().describe("The worker that ran it."),
    started_at: z.iso.datetime(),
    ended_at: ended_at.describe("Null while it runs. Of one that was lost with its worker: when that was noticed."),
    outcome: z
      .enum(ATTEMPT_OUTCOMES)
      .nullable()
      .describe(
        "Null while it runs. `suspended`: the job waits for people. `retried`: a further attempt follows an error that" +
          " may pass. `requeued`: its worker stopped in order. `lost`: its worker died.",
      ),
  })
  .meta({ id: "Attempt", description: "One start of the agent for a job." });

const StepSchema = z
  .object({
    id: z.string().describe("Unique within the job."),
    parent_id: z.string().nullable().describe("The `delegate` step within which it was done."),
    attempt: z.int().describe("Of a wait: the attempt that follows it."),
    kind: z
      .enum([...STEP_KINDS, "wait"])
      .describe(
        "`model`: one model turn. `tool`: one tool call. `retrieval`: one search in stored documents. `delegate`: a run" +
          " of another agent within the job. `work`: what an agent does once over all attempts (`journal.once`). `wait`:" +
          " no worker has the job.",
      ),
    name: z
      .string()
      .describe(
        "The model, tool or collection; the delegating agent's name for the run; of a wait: `queue`, `retry` or `person`.",
      ),
    agent_type: z.string().optional().describe("Of a `delegate`: the agent that runs."),
    status: z
      .enum(STEP_STATUSES)
      .describe("`interrupted`: its attempt, or the job, ended first. `in_doubt`: it may have taken effect."),
    started_at: z.iso.datetime(),
    ended_at,
    first_token_at: z.iso.datetime().optional().describe("Of a `model` step: when its first text or reasoning came."),
    usage: TokenCountsSchema.optional().describe("Of a `model` step that completed."),
  })
  .meta({
    id: "JobStep",
    description: "A piece of a job's work, or a wait. What an earlier attempt did is not repeated.",
  });

const JobStepsSchema = z
  .object({
    job_id: IdSchema,
    status: JobStatusSchema,
    attempts: z.array(AttemptSchema).readonly(),
    steps: z.array(StepSchema).readonly().describe("In the order of their beginnings."),
    truncated: z
      .boolean()
      .describe(
        "Whether some are missing: the latest 500 steps are kept, and an attempt may die before it leaves anything.",
      ),
  })
  .meta({ id: "JobSteps", description: "The timeline of a job.", examples: [EXAMPLE] });

export const getJobSteps = (services: Services): Route => ({
  method: "get",
  path: "/jobs/:id/steps",
  access: "key",
  operation: {
    id: "getJobSteps",
    tag: "Jobs",
    summary: "What a job has done so far, step by step",
    params: { id: IdSchema },
    responses: { 200: jsonResponse("Its attempts and steps; while it runs, as of half a second ago.", JobStepsSchema) },
    errors: [...READ_ERRORS, "job_not_found"],
  },
  async handle(req, res, { owner }) {
    res.json(await readJobSteps(services, owner, pathId(req.params)));
  },
});
