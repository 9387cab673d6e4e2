/** POST /jobs/{id}/cancel: asks for the end of a job. The worker confirms it with the job's `done` event. */
import type { Route } from "../../../http/door.ts";
import { cancelJob } from "../../../jobs/cancel-job.ts";
import type { Services } from "../../../services.ts";
import { pathId } from "../../../validation/validate.ts";
import { jobLinks } from "../job-view.ts";

export const postJobCancel = (services: Services): Route => ({
  method: "post",
  path: "/jobs/:id/cancel",
  access: "key",
  async handle(req, res, { owner, note }) {
    const id = pathId(req.params);
    const { status, isRequested } = await cancelJob(services, owner, id);
    if (isRequested) note({ job_id: id, cancel_requested: true });
    res.status(isRequested ? 202 : 200).json({ job_id: id, status, links: jobLinks(id) });
  },
});
