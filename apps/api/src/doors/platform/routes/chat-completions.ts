/** POST /chat/completions: a chat message; the answer streams as SSE, or comes whole with `stream: false`. */
import { LimitsSchema } from "@agent-paas/shared/contract/limits.ts";
import { IdSchema } from "@agent-paas/shared/ids.ts";
import type { Response } from "express";
import { z } from "zod";
import { jobError, sendError } from "../../../http/error-handler.ts";
import type { Caller, Route } from "../../../http/route.ts";
import { streamJobEvents } from "../../../http/sse-stream.ts";
import { JsonObjectSchema, validate } from "../../../http/validate.ts";
import { acceptJob } from "../../../jobs/accept-job.ts";
import { endedRowFinder, findJob, statusOf } from "../../../jobs/find-job.ts";
import type { Accepted } from "../../../queue/job-producer.ts";
import type { Services } from "../../../services.ts";
import { jobLinks, viewOfRow } from "../job-view.ts";
import { AgentIdSchema, abortOnClose, OnBusySchema, TextSchema } from "../request-fields.ts";

const ChatRequestSchema = z.strictObject({
  agent_type: AgentIdSchema,
  session_id: IdSchema.nullish(),
  message: TextSchema,
  config: JsonObjectSchema.default({}),
  stream: z.boolean().default(true),
  limits: LimitsSchema.default({}),
  metadata: JsonObjectSchema.default({}),
  on_busy: OnBusySchema,
});

export const postChatCompletions = (services: Services): Route => ({
  method: "post",
  path: "/chat/completions",
  access: "key",
  async handle(req, res, caller) {
    const body = validate(ChatRequestSchema, req.body);
    const accepted = await acceptJob(services, req, caller, {
      kind: "chat",
      agentType: body.agent_type,
      sessionId: body.session_id ?? null,
      beginsSession: true,
      text: body.message,
      config: body.config,
      limits: body.limits,
      metadata: body.metadata,
      onBusy: body.on_busy,
    });
    if (body.stream) {
      streamJobEvents(res, services.sse, {
        jobId: accepted.jobId,
        sessionId: accepted.sessionId,
        after: 0,
        findEnded: endedRowFinder(services, caller.owner, accepted.jobId),
        stage: accepted.isNew ? "new" : "open",
      });
    } else {
      await answerWhole(services, res, caller, accepted);
    }
  },
});

async function answerWhole(
  services: Services,
  res: Response,
  caller: Caller,
  { jobId, sessionId }: Accepted,
): Promise<void> {
  const findEnded = endedRowFinder(services, caller.owner, jobId);
  const withinMs = services.config.JSON_WAIT_MS;
  const ended = await services.fanout.awaitEnd({ jobId, withinMs, signal: abortOnClose(res), findEnded });
  const row = ended ? await findEnded() : null;
  res.setHeader("X-Job-Id", jobId);
  if (sessionId !== null) res.setHeader("X-Session-Id", sessionId);
  if (row === null) {
    // Still at it, and not lost: the client polls or streams from here on.
    const status = statusOf(await findJob(services, caller.owner, jobId));
    res.status(202).setHeader("Location", `/api/v1/jobs/${jobId}`);
    res.json({ session_id: sessionId, job_id: jobId, status, links: jobLinks(jobId) });
    return;
  }
  const { status, result, error, usage } = viewOfRow(row, null);
  if (error !== null) {
    sendError(res, jobError(error.code, error.message, { session_id: sessionId, job_id: jobId }));
    return;
  }
  const message = { role: "assistant", content: result?.content ?? "" };
  const cited = result?.citations === undefined ? {} : { citations: result.citations };
  res.json({ session_id: sessionId, job_id: jobId, status, message, usage, ...cited });
}
