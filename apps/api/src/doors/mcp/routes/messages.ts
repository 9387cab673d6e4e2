/** POST /mcp: one message of a client. */
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { Request, Response } from "express";
import type { Caller, Route } from "../../../http/door.ts";
import { asJson } from "../../../http/operation.ts";
import { ACCEPT_ERRORS } from "../../../http/route-errors.ts";
import { EVENT_STREAM } from "../../../http/stream-format.ts";
import { cancelCall, decideByResponse } from "../answers.ts";
import { callTool } from "../call-tool.ts";
import { issueSessionId, readSessionId } from "../client-session.ts";
import { platformRpcError, RpcError, rpcError, rpcResult } from "../json-rpc.ts";
import type { McpServices } from "../mcp-services.ts";
import { initialize, LEGACY_METHODS, MODERN_METHODS } from "../methods.ts";
import { assertOriginAllowed } from "../origin.ts";
import { idOf, isHandshake, type ReadMessage, readMessage, readRevision } from "../read-message.ts";
import { AnswerSchema, EventSchema, RequestSchema } from "../schemas.ts";
import { readQuestionId } from "../state.ts";

type Exchange = { readonly req: Request; readonly res: Response; readonly caller: Caller };

/** Of a user's answer to what a job has asked. */
const ANSWER_ERRORS = ["job_not_found", "request_not_found", "decision_conflict", "job_not_waiting"] as const;

export const postMessage = (services: McpServices): Route => ({
  method: "post",
  path: "",
  access: "key",
  operation: {
    id: "sendMcpMessage",
    tag: "MCP",
    summary: "Send a message of the Model Context Protocol",
    description:
      "Streamable HTTP, revisions 2024-11-05 to 2026-07-28, without state; all API processes serve all messages." +
      " `tools/call` streams progress and the result; what a call could not do is a result with `isError`.",
    headers: ["MCP-Protocol-Version", "Mcp-Session-Id", "Mcp-Method", "Mcp-Name", "Accept-Language", "traceparent"],
    body: asJson(RequestSchema),
    responses: {
      200: {
        description: "The response to a request; of `tools/call`, the messages of the call.",
        content: { ...asJson(AnswerSchema), [EVENT_STREAM]: EventSchema },
        headers: ["Mcp-Session-Id", "X-Job-Id", "X-Session-Id"],
      },
      202: { description: "The notification, or the answer of the client's user, is taken." },
    },
    errors: [...ACCEPT_ERRORS, "origin_not_allowed", "session_not_found", "agent_unavailable", ...ANSWER_ERRORS],
  },
  async handle(req, res, caller) {
    assertOriginAllowed(req.get("origin"), services.config.CORS_ORIGINS);
    try {
      await serve(services, { req, res, caller }, readMessage(req.body));
    } catch (error) {
      const id = idOf(req.body);
      if (error instanceof RpcError) res.status(error.status).json(rpcError(id, error));
      else if (error instanceof PlatformError && id !== null && !res.headersSent) {
        res.status(error.status).json(platformRpcError(id, error, caller.requestId));
      } else throw error;
    }
  },
});

async function serve(services: McpServices, { req, res, caller }: Exchange, message: ReadMessage): Promise<void> {
  const revision = readRevision(req, message);
  const hasSession = !revision.isModern && !isHandshake(message);
  const client = hasSession ? readSessionId(req.get("mcp-session-id")) : null;
  if (message.kind === "notification") {
    if (message.method === "notifications/cancelled") await cancelCall(services, caller, client, message.params);
    return void res.status(202).end();
  }
  if (message.kind === "response") {
    const question = readQuestionId(message.id);
    if (question !== null) await decideByResponse(services, caller.owner, question, message);
    return void res.status(202).end();
  }
  const { id, method, params } = message;
  if (method === "tools/call") return callTool(services, { req, res, caller }, { request: message, revision, client });
  if (method === "initialize" && !revision.isModern) {
    const { result, elicits } = initialize(params);
    res.setHeader("Mcp-Session-Id", issueSessionId(elicits));
    return void res.json(rpcResult(id, result));
  }
  const methods = revision.isModern ? MODERN_METHODS : LEGACY_METHODS;
  const answer = Object.hasOwn(methods, method) ? methods[method] : undefined;
  if (answer === undefined) {
    const words = `Method not found: ${method.slice(0, 100)}`;
    throw new RpcError("method_not_found", words, revision.isModern ? 404 : 200);
  }
  res.json(rpcResult(id, await answer(services)));
}
