/**
 * MCP over streamable HTTP, each tool call on a stream of its own. In the SDK's transport the stream of a call that was
 * given up stays open, and is asked for again whenever it breaks: a server that is slow to answer would gather them.
 */
import { setTimeout as delay } from "node:timers/promises";
import { SECOND } from "@agent-paas/shared/time.ts";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import {
  CancelledNotificationSchema,
  isJSONRPCErrorResponse,
  isJSONRPCRequest,
  isJSONRPCResultResponse,
  type JSONRPCRequest,
  type RequestId,
} from "@modelcontextprotocol/sdk/types.js";
import { boundedFetch } from "./bounded-fetch.ts";

export type HttpServer = { readonly url: string; readonly headers: Readonly<Record<string, string>> };

/** How long the server may take to hear that the session is over. */
const GOODBYE_MS = 2 * SECOND;

export function createHttpTransport({ url, headers }: HttpServer): Transport {
  const options = { fetch: boundedFetch, requestInit: { headers: { ...headers } } };
  const session = new StreamableHTTPClientTransport(new URL(url), options);
  const calls = new Map<RequestId, StreamableHTTPClientTransport>();
  let isClosed = false;

  async function endCall(id: RequestId): Promise<void> {
    const stream = calls.get(id);
    calls.delete(id);
    if (stream === undefined) return;
    delete stream.onerror;
    await stream.close();
  }

  async function sendCall(request: JSONRPCRequest): Promise<void> {
    const { sessionId, protocolVersion } = session;
    const stream = new StreamableHTTPClientTransport(new URL(url), {
      ...options,
      ...(sessionId === undefined ? {} : { sessionId }),
    });
    if (protocolVersion !== undefined) stream.setProtocolVersion(protocolVersion);
    calls.set(request.id, stream);
    stream.onerror = (error) => transport.onerror?.(error);
    stream.onmessage = (message) => {
      transport.onmessage?.(message);
      const isAnswer = isJSONRPCResultResponse(message) || isJSONRPCErrorResponse(message);
      if (isAnswer && message.id === request.id) void endCall(request.id);
    };
    await stream.start();
    try {
      await stream.send(request);
    } catch (error) {
      await endCall(request.id);
      throw error;
    }
  }

  const transport: Transport = {
    get sessionId() {
      return session.sessionId;
    },
    setProtocolVersion: (version) => session.setProtocolVersion(version),
    async start() {
      session.onerror = (error) => transport.onerror?.(error);
      session.onmessage = (message) => transport.onmessage?.(message);
      await session.start();
    },
    async send(message) {
      if (isClosed) throw new Error("the connection is closed");
      if (isJSONRPCRequest(message) && message.method === "tools/call") return sendCall(message);
      const { data: cancelled } = CancelledNotificationSchema.safeParse(message);
      if (cancelled?.params.requestId !== undefined) await endCall(cancelled.params.requestId);
      return session.send(message);
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      transport.onclose?.();
      await Promise.all([...calls.keys()].map(endCall));
      const goodbye = session.terminateSession().catch(() => {});
      await Promise.race([goodbye, delay(GOODBYE_MS, undefined, { ref: false })]);
      await session.close();
    },
  };
  return transport;
}
