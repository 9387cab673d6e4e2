/** POST /jobs/{id}/cancel: asks for the end of a job. The worker confirms it with the job's `done` event. */
import { IdSchema } from "@agent-paas/shared/ids.ts";
import type { Route } from "../../../http/door.ts";
import { jsonResponse } from "../../../http/operation.ts";
import { READ_ERRORS } from "../../../http/route-errors.ts";
import { cancelJob } from "../../../jobs/cancel-job.ts";
import type { Services } from "../../../services.ts";
import { pathId } from "../../../validation/validate.ts";
import { AcceptedJobSchema, jobLinks } from "../job-view.ts";

export const postJobCancel = (services: Services): Route => ({
  method: "post",
  path: "/jobs/:id/cancel",
  access: "key",
  operation: {
    id: "cancelJob",
    tag: "Jobs",
    summary: "Cancel a job",
    description: "The worker's acknowledgement is the job's `done` event with status `cancelled`.",
    params: { id: IdSchema },
    responses: {
      200: jsonResponse("The job has ended already.", AcceptedJobSchema),
      202: jsonResponse("The job is asked to end; the status is that of before.", AcceptedJobSchema),
    },
    errors: [...READ_ERRORS, "not_replicated", "job_not_found"],
  },
  async handle(req, res, { owner, note }) {
    const id = pathId(req.params);
    const { status, isRequested } = await cancelJob(services, owner, id);
    if (isRequested) note({ job_id: id, cancel_requested: true });
    res.status(isRequested ? 202 : 200).json({ job_id: id, status, links: jobLinks(id) });
  },
});
