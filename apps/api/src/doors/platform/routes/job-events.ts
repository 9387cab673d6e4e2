/** GET /jobs/{id}/events: the events of any job, live or ended, from the last event that the client has seen. */
import { isTerminal } from "@agent-paas/shared/contract/jobs.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { Request } from "express";
import type { Route } from "../../../http/door.ts";
import { streamJobEvents } from "../../../http/sse-stream.ts";
import { takeStream } from "../../../http/take-stream.ts";
import { endedRowFinder, findJob, knownChecker, statusOf } from "../../../jobs/find-job.ts";
import type { Services } from "../../../services.ts";
import { pathId } from "../../../validation/validate.ts";

export const getJobEvents = (services: Services): Route => ({
  method: "get",
  path: "/jobs/:id/events",
  access: "key",
  async handle(req, res, { owner, door }) {
    const id = pathId(req.params);
    const after = readAfter(req);
    takeStream(res, services.streamShare, owner);
    const job = await findJob(services, owner, id);
    const sessionId = job.in === "database" ? job.row.session_id : job.payload.session_id;
    if (job.in === "database" && job.row.last_seq !== null && after >= job.row.last_seq) {
      // The client has seen `done`. This status makes EventSource stop reconnecting.
      res.status(204).end();
      return;
    }
    streamJobEvents(res, services, door.stream, {
      jobId: id,
      sessionId,
      after,
      findEnded: endedRowFinder(services, owner, id),
      isKnown: knownChecker(services, owner, id),
      stage: isTerminal(statusOf(job)) ? "ended" : "open",
    });
  },
});

/** Some clients send it empty before their first event; one that was sent twice, which Node joins, says nothing. */
function readHeader(req: Request): string | undefined {
  const header = req.get("last-event-id");
  return header === undefined || header.trim() === "" || header.includes(",") ? undefined : header;
}

/** The header overrides the query: a browser that reconnects sends both, and the header is newer. */
function readAfter(req: Request): number {
  const header = readHeader(req);
  const [param, text] = header === undefined ? ["after", req.query.after ?? "0"] : ["Last-Event-ID", header];
  if (typeof text === "string" && /^\d{1,15}$/.test(text)) return Number(text);
  throw new PlatformError("invalid_request", {
    message: `${param}: expected the id of an event, a whole number`,
    param,
  });
}
