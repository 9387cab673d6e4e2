/**
 * MCP over HTTP: streamable HTTP, with a separate SDK transport for each tool call; for servers that know only the
 * transport before it (HTTP with SSE), that one. The SDK's transport keeps the stream of an abandoned call open and
 * reopens it whenever it breaks, so the streams of a slow server would accumulate.
 */
import { setTimeout as delay } from "node:timers/promises";
import { SECOND } from "@agent-paas/shared/time.ts";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import {
  CancelledNotificationSchema,
  isInitializeRequest,
  isJSONRPCErrorResponse,
  isJSONRPCRequest,
  isJSONRPCResultResponse,
  type JSONRPCMessage,
  type JSONRPCRequest,
  type RequestId,
} from "@modelcontextprotocol/sdk/types.js";
import { unpackMessage } from "./exact-answers.ts";
import { statusOf } from "./mcp-errors.ts";
import { serverFetch } from "./server-fetch.ts";
import { createSseTransport } from "./sse-transport.ts";

export type HttpServer = { readonly url: string; readonly headers: Readonly<Record<string, string>> };

/** How long the request that ends the session may take. */
const TERMINATE_WITHIN_MS = 2 * SECOND;

/** How a server that does not know streamable HTTP answers its first request. */
const NOT_STREAMABLE: readonly (number | null)[] = [400, 404, 405];

export function createHttpTransport(server: HttpServer): Transport {
  const url = new URL(server.url);
  const options = { fetch: serverFetch, requestInit: { headers: { ...server.headers } } };
  const session = new StreamableHTTPClientTransport(url, options);
  const calls = new Map<RequestId, StreamableHTTPClientTransport>();
  let older: Transport | undefined;
  let isClosed = false;

  const deliver = (message: JSONRPCMessage) => transport.onmessage?.(unpackMessage(message));

  async function endCall(id: RequestId): Promise<void> {
    const stream = calls.get(id);
    calls.delete(id);
    if (stream === undefined) return;
    delete stream.onerror;
    await stream.close();
  }

  async function sendCall(request: JSONRPCRequest): Promise<void> {
    const { sessionId, protocolVersion } = session;
    const stream = new StreamableHTTPClientTransport(url, {
      ...options,
      ...(sessionId === undefined ? {} : { sessionId }),
    });
    if (protocolVersion !== undefined) stream.setProtocolVersion(protocolVersion);
    calls.set(request.id, stream);
    stream.onerror = (error) => transport.onerror?.(error);
    stream.onmessage = (message) => {
      deliver(message);
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

  /** The first request tells which transport the server knows. */
  async function initialize(request: JSONRPCMessage): Promise<void> {
    try {
      await session.send(request);
    } catch (refused) {
      if (!NOT_STREAMABLE.includes(statusOf(refused)) || isClosed) throw refused;
      const sse = createSseTransport(url, options);
      older = sse;
      try {
        await sse.start();
      } catch {
        // The server knows neither, so its first answer tells more.
        older = undefined;
        await sse.close();
        throw refused;
      }
      sse.onerror = (error) => transport.onerror?.(error);
      sse.onmessage = deliver;
      sse.onclose = () => void transport.close();
      await sse.send(request);
    }
  }

  const transport: Transport = {
    get sessionId() {
      return session.sessionId;
    },
    setProtocolVersion(version) {
      session.setProtocolVersion(version);
      older?.setProtocolVersion?.(version);
    },
    async start() {
      session.onerror = (error) => transport.onerror?.(error);
      session.onmessage = deliver;
      await session.start();
    },
    async send(message) {
      if (isClosed) throw new Error("the connection is closed");
      if (older !== undefined) return older.send(message);
      if (isInitializeRequest(message)) return initialize(message);
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
      const terminated = session.terminateSession().catch(() => {});
      await Promise.race([terminated, delay(TERMINATE_WITHIN_MS, undefined, { ref: false })]);
      await Promise.all([session.close(), older?.close()]);
    },
  };
  return transport;
}
