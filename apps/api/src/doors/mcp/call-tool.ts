/** `tools/call`: starts a job of the agent, or goes on with one that has asked something. */
import { createHash } from "node:crypto";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { IdSchema } from "@agent-paas/shared/ids.ts";
import { type Fields, isFields } from "@agent-paas/shared/json/fields.ts";
import type { Request, Response } from "express";
import type { Caller } from "../../http/door.ts";
import { originOf } from "../../http/job-headers.ts";
import { EVENT_STREAM } from "../../http/stream-format.ts";
import { takeStream } from "../../http/take-stream.ts";
import { acceptJob } from "../../jobs/accept-job.ts";
import { findJob } from "../../jobs/find-job.ts";
import type { OfferedAgent } from "../../presence/agent-catalog.ts";
import type { Accepted } from "../../queue/accept-request.ts";
import type { Services } from "../../services.ts";
import { TextSchema } from "../../validation/text.ts";
import { bodySchema, JsonObjectSchema, validate } from "../../validation/validate.ts";
import { decideAnswers } from "./answers.ts";
import { errorResult } from "./call-result.ts";
import { type ClientSession, callKey } from "./client-session.ts";
import { type FollowedCall, followCall } from "./follow-call.ts";
import { isDismissed, showsForms } from "./inquiries.ts";
import { modernResult, RpcError, rpcResult } from "./json-rpc.ts";
import type { McpServices } from "./mcp-services.ts";
import { PRIMED_SINCE, ProgressTokenSchema } from "./protocol.ts";
import type { Revision, RpcRequest } from "./read-message.ts";
import { type CallState, readRequestState } from "./state.ts";
import { outputSchemaOf } from "./tools.ts";

const ArgumentsSchema = bodySchema({
  message: TextSchema.optional(),
  session_id: IdSchema.optional(),
  config: JsonObjectSchema.default({}),
});

export type ToolCall = {
  readonly request: RpcRequest;
  readonly revision: Revision;
  /** Null with a revision that has no handshake, and for a client that keeps nothing of it. */
  readonly client: ClientSession | null;
};

/** Throws `RpcError` for what is no call of a tool; what is wrong with the call itself becomes its result. */
export async function callTool(
  services: McpServices,
  { req, res, caller }: { readonly req: Request; readonly res: Response; readonly caller: Caller },
  { request, revision, client }: ToolCall,
): Promise<void> {
  const { id, params } = request;
  const agent = await findTool(services, params.name);
  const state = params.requestState === undefined ? null : readRequestState(params.requestState);
  if (params.requestState !== undefined && state === null) throw invalidParams("requestState: is none of this server");
  const progressToken = readProgressToken(params);
  try {
    takeStream(res, services.streamShare, caller.owner);
    const call =
      state === null
        ? await start(services, { req, caller }, { request, agent, client })
        : await goOn(services, caller.owner, { request, agent, state });
    res.setHeader("X-Job-Id", call.jobId);
    if (call.sessionId !== null) res.setHeader("X-Session-Id", call.sessionId);
    followCall(services, res, caller, {
      ...call,
      ...{ requestId: id, progressToken, isModern: revision.isModern },
      // A user who has closed the form is not shown it again.
      elicits: !isDismissed(answersIn(params)) && asksUsers({ revision, client }),
      stream: takesEvents(req) ? { isPrimed: revision.version >= PRIMED_SINCE } : null,
    });
  } catch (error) {
    if (!(error instanceof PlatformError) || error.code === "internal_error") throw error;
    const result = errorResult(error.code, error.message, error.details);
    res.json(rpcResult(id, revision.isModern ? modernResult(result) : result));
  }
}

async function findTool({ agentCatalog }: Pick<Services, "agentCatalog">, name: unknown): Promise<OfferedAgent> {
  if (typeof name !== "string") throw invalidParams("name: is required");
  try {
    return await agentCatalog.find(name);
  } catch (error) {
    if (error instanceof PlatformError && error.code === "agent_not_found") {
      throw invalidParams(`Unknown tool: ${name.slice(0, 100)}`);
    }
    throw error;
  }
}

type StartedCall = Pick<FollowedCall, "jobId" | "sessionId" | "after" | "stage">;

async function start(
  services: Services,
  { req, caller }: { readonly req: Request; readonly caller: Caller },
  { request, agent, client }: Pick<ToolCall, "request" | "client"> & { readonly agent: OfferedAgent },
): Promise<StartedCall> {
  const { message, session_id, config } = validate(ArgumentsSchema, request.params.arguments ?? {}, ["arguments"]);
  if (message === undefined && agent.needs_message !== false) {
    const param = "arguments.message";
    throw new PlatformError("invalid_request", { message: `${param}: is required`, param });
  }
  if ("response_schema" in config && outputSchemaOf(agent) !== null) {
    const problem = "arguments.config.response_schema: the tool's outputSchema says what its answers are";
    throw new PlatformError("invalid_request", { message: problem, param: "arguments.config.response_schema" });
  }
  const idempotency =
    client === null
      ? null
      : { key: callKey(client, request.id), bodyHash: hashOf([agent.id, message, session_id, config]) };
  const accepted: Accepted = await acceptJob(
    services,
    { ...originOf(req, caller, message), idempotency },
    {
      // A message belongs to a conversation; an agent without one has just a task.
      ...{
        kind: message === undefined ? "execute" : "chat",
        agentType: agent.id,
        sessionId: session_id ?? null,
        createsSession: false,
      },
      ...{
        beginsSession: message !== undefined,
        // Most calls are the only ones of their session, and nobody ever ends it.
        isSessionOfJob: true,
        text: message ?? "",
        config,
        limits: {},
        metadata: {},
        onBusy: "queue",
      },
    },
  );
  const { jobId, sessionId, isNew } = accepted;
  return { jobId, sessionId, after: 0, stage: isNew ? "new" : "open" };
}

/** The client has asked its user, and makes the call again with the answers. */
async function goOn(
  services: Services,
  owner: string,
  { request, agent, state }: { readonly request: RpcRequest; readonly agent: OfferedAgent; readonly state: CallState },
): Promise<StartedCall> {
  const job = await findJob(services, owner, state.jobId);
  const { agent_type, session_id: sessionId } = job.in === "database" ? job.row : job.payload;
  if (agent_type !== agent.id) throw new PlatformError("job_not_found");
  await decideAnswers(services, owner, state.jobId, answersIn(request.params));
  return { ...state, sessionId, stage: "open" };
}

const answersIn = ({ inputResponses }: RpcRequest["params"]): Fields =>
  isFields(inputResponses) ? inputResponses : {};

const asksUsers = ({ revision, client }: Pick<ToolCall, "revision" | "client">): boolean =>
  revision.isModern ? showsForms(revision.capabilities) : (client?.elicits ?? false);

function readProgressToken({ _meta }: RpcRequest["params"]): FollowedCall["progressToken"] {
  const token = isFields(_meta) ? _meta.progressToken : undefined;
  if (token === undefined) return null;
  const parsed = ProgressTokenSchema.safeParse(token);
  if (!parsed.success) throw invalidParams("params._meta.progressToken: expected a text or a whole number");
  return parsed.data;
}

/** Clients must take both; one that names no type takes any. */
const takesEvents = (req: Request): boolean => req.accepts(EVENT_STREAM) !== false;

const hashOf = (call: readonly unknown[]): string => createHash("sha256").update(JSON.stringify(call)).digest("hex");

const invalidParams = (problem: string) => new RpcError("invalid_params", problem, 200);
