/** GET /jobs/{id}/events: the events of any job, live or ended, from the last event that the client has seen. */

import { isTerminal } from "@agent-paas/shared/contract/jobs.ts";
import { IdSchema } from "@agent-paas/shared/ids.ts";
import type { Request } from "express";
import { z } from "zod";
import type { Route } from "../../../http/door.ts";
import { EventIdSchema, REQUEST_HEADERS } from "../../../http/headers.ts";
import { READ_ERRORS } from "../../../http/route-errors.ts";
import { streamJobEvents } from "../../../http/sse-stream.ts";
import { EVENT_STREAM } from "../../../http/stream-format.ts";
import { takeStream } from "../../../http/take-stream.ts";
import { endedRowFinder, findJob, knownChecker, statusOf } from "../../../jobs/find-job.ts";
import type { Services } from "../../../services.ts";
import { pathId, validate } from "../../../validation/validate.ts";
import { StreamEventSchema, stream } from "../stream-format.ts";

const EventsQuerySchema = z.object({
  after: EventIdSchema.default("0").describe("The `id` of the last event that the client has seen."),
});

export const getJobEvents = (services: Services): Route => ({
  method: "get",
  path: "/jobs/:id/events",
  access: "key",
  operation: {
    id: "followJob",
    tag: "Jobs",
    summary: "Follow the events of a job",
    description: "From the first event, or from behind the one that the client has seen; of jobs that have ended, too.",
    params: { id: IdSchema },
    query: EventsQuerySchema,
    headers: ["Last-Event-ID"],
    responses: {
      200: {
        description: "The events of the job; the last one is `done`.",
        content: { [EVENT_STREAM]: StreamEventSchema },
        headers: ["X-Job-Id", "X-Session-Id", "Location"],
      },
      204: { description: "The client has seen `done` already." },
    },
    errors: [...READ_ERRORS, "job_not_found", "open_streams_limit"],
  },
  async handle(req, res, { owner }) {
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
    streamJobEvents(res, services, stream, {
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
  const after =
    header === undefined
      ? validate(EventsQuerySchema, req.query).after
      : validate(REQUEST_HEADERS["Last-Event-ID"], header, ["Last-Event-ID"]);
  return Number(after);
}
