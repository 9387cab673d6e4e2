/** POST /jobs/{id}/cancel: asks for the end of a job; its worker's acknowledgement is the `done` event. */
import { isTerminal } from "@agent-paas/shared/contract/jobs.ts";
import type { Route } from "../../../http/route.ts";
import { pathId } from "../../../http/validate.ts";
import { findJob, statusOf } from "../../../jobs/find-job.ts";
import type { Services } from "../../../services.ts";
import { jobLinks } from "../job-view.ts";

export const postJobCancel = (services: Services): Route => ({
  method: "post",
  path: "/jobs/:id/cancel",
  access: "key",
  async handle(req, res, { owner, logger }) {
    const id = pathId(req.params);
    const job = await findJob(services, owner, id);
    const links = jobLinks(id);
    if (job.in === "database" && isTerminal(job.row.status)) {
      // A terminal status is write-once; asking again changes nothing and is no fault.
      res.json({ job_id: id, status: job.row.status, links });
      return;
    }
    await services.producer.cancel(job.in === "database" ? job.row.kind : job.payload.kind, id);
    logger.info({ job_id: id }, "cancel requested");
    res.status(202).json({ job_id: id, status: statusOf(job), links });
  },
});
