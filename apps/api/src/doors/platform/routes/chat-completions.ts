/** POST /chat/completions: a chat message. Its events stream as SSE, or `stream: false` returns the result as JSON. */
import { LimitsSchema } from "@agent-paas/shared/contract/limits.ts";
import { IdSchema } from "@agent-paas/shared/ids.ts";
import type { Response } from "express";
import { z } from "zod";
import { abortOnClose } from "../../../http/abort-on-close.ts";
import { bodySizeOf, measuredJson } from "../../../http/body-size.ts";
import type { Caller, Route } from "../../../http/door.ts";
import { sendError } from "../../../http/error-handler.ts";
import { originOf, readIdempotency } from "../../../http/job-headers.ts";
import { streamJobEvents } from "../../../http/sse-stream.ts";
import { takeStream } from "../../../http/take-stream.ts";
import { acceptJob } from "../../../jobs/accept-job.ts";
import { awaitJobEnd } from "../../../jobs/await-end.ts";
import { endedRowFinder, findJobStatus, knownChecker } from "../../../jobs/find-job.ts";
import { jobError } from "../../../jobs/job-error.ts";
import type { Accepted } from "../../../queue/accept-request.ts";
import type { Services } from "../../../services.ts";
import { bodySchema, JsonObjectSchema, validate } from "../../../validation/validate.ts";
import { jobLinks, viewOfRow } from "../job-view.ts";
import { AgentIdSchema, IfNotExistsSchema, limitBody, OnBusySchema, readMessage } from "../request-fields.ts";

const ChatRequestSchema = bodySchema({
  agent_type: AgentIdSchema,
  session_id: IdSchema.optional(),
  if_not_exists: IfNotExistsSchema,
  message: z.unknown(),
  config: JsonObjectSchema.default({}),
  stream: z.boolean().default(true),
  limits: bodySchema(LimitsSchema.shape).default({}),
  metadata: JsonObjectSchema.default({}),
  on_busy: OnBusySchema,
});

export const postChatCompletions = (services: Services): Route => ({
  method: "post",
  path: "/chat/completions",
  access: "key",
  bodyParser: ({ MAX_BODY_BYTES, MAX_PARTS_BYTES }) => measuredJson(MAX_BODY_BYTES + MAX_PARTS_BYTES),
  async handle(req, res, caller) {
    limitBody(req.body, bodySizeOf(req), services.config.MAX_BODY_BYTES);
    const body = validate(ChatRequestSchema, req.body);
    const { text, parts } = readMessage(body.message, services.config);
    takeStream(res, services.streamShare, caller.owner);
    const origin = { ...originOf(req, caller, text), idempotency: readIdempotency(req) };
    const accepted = await acceptJob(services, origin, {
      kind: "chat",
      agentType: body.agent_type,
      sessionId: body.session_id ?? null,
      createsSession: body.if_not_exists === "create",
      beginsSession: true,
      text,
      parts,
      config: body.config,
      limits: body.limits,
      metadata: body.metadata,
      onBusy: body.on_busy,
    });
    if (body.stream) {
      streamJobEvents(res, services, caller.door.stream, {
        jobId: accepted.jobId,
        sessionId: accepted.sessionId,
        after: 0,
        findEnded: endedRowFinder(services, caller.owner, accepted.jobId),
        isKnown: knownChecker(services, caller.owner, accepted.jobId),
        stage: accepted.isNew ? "new" : "open",
      });
    } else {
      await sendWhole(services, res, caller, accepted);
    }
  },
});

async function sendWhole(
  services: Services,
  res: Response,
  { owner, door }: Caller,
  { jobId, sessionId }: Accepted,
): Promise<void> {
  const findEnded = endedRowFinder(services, owner, jobId);
  const withinMs = services.config.JSON_WAIT_MS;
  const ended = await awaitJobEnd(services, {
    ...{ jobId, withinMs, signal: abortOnClose(res), findEnded },
    isKnown: knownChecker(services, owner, jobId),
  });
  const row = ended ? await findEnded() : null;
  res.setHeader("X-Job-Id", jobId);
  if (sessionId !== null) res.setHeader("X-Session-Id", sessionId);
  if (row === null) {
    // The job goes on; the client can poll or stream it.
    const status = await findJobStatus(services, owner, jobId);
    const links = jobLinks(jobId);
    res.status(202).setHeader("Location", links.self);
    res.json({ session_id: sessionId, job_id: jobId, status, links });
    return;
  }
  const { status, result, error, usage } = viewOfRow(row, null);
  if (error !== null) {
    sendError(res, jobError(error.code, error.message, { session_id: sessionId, job_id: jobId }), door.formatError);
    return;
  }
  const message = { role: "assistant", content: result?.content ?? "" };
  const cited = result?.citations === undefined ? {} : { citations: result.citations };
  const { finish_reason = null } = result ?? {};
  res.json({ session_id: sessionId, job_id: jobId, status, message, usage, finish_reason, ...cited });
}
