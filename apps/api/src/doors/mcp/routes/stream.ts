/** GET /mcp: goes on with the stream of a call, at any API process. There is no other stream to open. */
import { isTerminal } from "@agent-paas/shared/contract/jobs.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { z } from "zod";
import type { Route } from "../../../http/door.ts";
import { READ_ERRORS } from "../../../http/route-errors.ts";
import { EVENT_STREAM } from "../../../http/stream-format.ts";
import { takeStream } from "../../../http/take-stream.ts";
import { findJob, statusOf } from "../../../jobs/find-job.ts";
import { readEventId } from "../event-id.ts";
import { followCall } from "../follow-call.ts";
import type { McpServices } from "../mcp-services.ts";
import { assertOriginAllowed } from "../origin.ts";
import { EventSchema } from "../schemas.ts";

export const getStream = (services: McpServices): Route => ({
  method: "get",
  path: "",
  access: "key",
  operation: {
    id: "resumeMcpCall",
    tag: "MCP",
    summary: "Go on with the stream of a tool call",
    description: "From behind the event that `Last-Event-ID` names; without the header there is no stream.",
    ownHeaders: { "Last-Event-ID": z.string().describe("The `id` of the last event that the client has seen.") },
    responses: {
      200: {
        description: "The messages of the call.",
        content: { [EVENT_STREAM]: EventSchema },
        headers: ["X-Job-Id", "X-Session-Id"],
      },
    },
    errors: [...READ_ERRORS, "origin_not_allowed", "job_not_found", "open_streams_limit", "method_not_allowed"],
  },
  async handle(req, res, caller) {
    assertOriginAllowed(req.get("origin"), services.config.CORS_ORIGINS);
    const lastEventId = req.get("last-event-id");
    if (lastEventId === undefined) {
      res.setHeader("Allow", "POST");
      throw new PlatformError("method_not_allowed");
    }
    const call = readEventId(lastEventId);
    takeStream(res, services.streamShare, caller.owner);
    const job = await findJob(services, caller.owner, call.jobId);
    const sessionId = job.in === "database" ? job.row.session_id : job.payload.session_id;
    const stage = isTerminal(statusOf(job)) ? "ended" : "open";
    res.setHeader("X-Job-Id", call.jobId);
    if (sessionId !== null) res.setHeader("X-Session-Id", sessionId);
    followCall(services, res, caller, { ...call, sessionId, stage, isModern: false, stream: { isPrimed: false } });
  },
});
