/** POST /agents/{id}/execute: accepts a task and returns its job at once. */

import { IdSchema } from "@agent-paas/shared/ids.ts";
import { z } from "zod";
import { limitBody, measuredJson } from "../../../http/body-size.ts";
import type { Route } from "../../../http/door.ts";
import { JOB_REQUEST_HEADERS } from "../../../http/headers.ts";
import { originOf, readIdempotency } from "../../../http/job-headers.ts";
import { asJson } from "../../../http/operation.ts";
import { ACCEPT_ERRORS, AGENT_ERRORS } from "../../../http/route-errors.ts";
import { acceptJob } from "../../../jobs/accept-job.ts";
import type { Services } from "../../../services.ts";
import { ToolChoiceSchema, ToolResultsSchema, ToolsSchema } from "../../../validation/client-tools.ts";
import { JOB_FIELDS } from "../../../validation/job-fields.ts";
import { bodySchema, JsonSchema, validate } from "../../../validation/validate.ts";
import { ACCEPTED, sendAccepted } from "../accepted-job.ts";
import { AgentIdSchema, IfNotExistsSchema, MessageSchema, OnBusySchema, readMessage } from "../request-fields.ts";

const executeRequest = (task: z.ZodType) =>
  bodySchema({
    task,
    input: JsonSchema.optional(),
    tools: ToolsSchema,
    tool_choice: ToolChoiceSchema,
    tool_results: ToolResultsSchema,
    ...JOB_FIELDS,
    session_id: IdSchema.optional(),
    if_not_exists: IfNotExistsSchema,
    on_busy: OnBusySchema,
  });

const ExecuteRequestSchema = executeRequest(z.unknown().optional());

const EXECUTE_REQUEST = { task: "Summarise the report", input: { report: "All is well." } };

export const postExecute = (services: Services): Route => ({
  method: "post",
  path: "/agents/:id/execute",
  access: "key",
  bodyParser: ({ MAX_BODY_BYTES, MAX_PARTS_BYTES }) => measuredJson(MAX_BODY_BYTES + MAX_PARTS_BYTES, MAX_BODY_BYTES),
  operation: {
    id: "execute",
    tag: "Agents",
    summary: "Start a task",
    description: "Answers at once; the job is polled, streamed or cancelled by its links.",
    params: { id: AgentIdSchema },
    headers: JOB_REQUEST_HEADERS,
    body: asJson(executeRequest(MessageSchema.optional()).meta({ examples: [EXECUTE_REQUEST] })),
    responses: { 202: ACCEPTED },
    errors: [...ACCEPT_ERRORS, ...AGENT_ERRORS],
  },
  async handle(req, res, caller) {
    const agentType = validate(AgentIdSchema, req.params.id, ["id"]);
    // Parts have a limit of their own, a text has not.
    limitBody(req, services.config.MAX_BODY_BYTES, Array.isArray(req.body?.task) ? "task" : null);
    const body = validate(ExecuteRequestSchema, req.body);
    const isAsking = body.task !== undefined || body.tool_results === undefined;
    const { text, parts } = isAsking ? readMessage(body.task, services.config, "task") : { text: "" };
    const origin = { ...originOf(req, caller, text), idempotency: readIdempotency(req) };
    const accepted = await acceptJob(services, origin, {
      kind: "execute",
      agentType,
      sessionId: body.session_id ?? null,
      createsSession: body.if_not_exists === "create",
      // The results of its calls need a conversation to come back to.
      beginsSession: (body.tools ?? []).length > 0,
      text,
      parts,
      input: body.input,
      tools: body.tools,
      toolChoice: body.tool_choice,
      toolResults: body.tool_results,
      config: body.config,
      limits: body.limits,
      metadata: body.metadata,
      onBusy: body.on_busy,
    });
    await sendAccepted(res, services, caller.owner, accepted);
  },
});
