/** MCP servers that answer with given texts: over standard streams, and over HTTP. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { RawAnswers } from "../fixtures/mcp/raw-server.ts";
import { startLoopbackServer } from "./loopback-server.ts";
import { ROOT } from "./sources.ts";

export const answerWith = (result: unknown): string =>
  `{"jsonrpc":"2.0","id":$id,"result":${typeof result === "string" ? result : JSON.stringify(result)}}`;

export const INITIALIZED = {
  protocolVersion: "2025-06-18",
  capabilities: { tools: {} },
  serverInfo: { name: "raw", version: "1" },
};

/** The answers of a server that lists these tools and gives each call this result. */
export const rawAnswers = (tools: unknown, result: unknown = { content: [{ type: "text", text: "done" }] }) => ({
  initialize: answerWith(INITIALIZED),
  "tools/list": answerWith({ tools }),
  "tools/call": answerWith(result),
});

/** An entry of `MCP_SERVERS`. */
export const rawServer = (answers: RawAnswers) => ({
  command: process.execPath,
  args: [join(ROOT, "test/fixtures/mcp/raw-server.ts"), JSON.stringify(answers)],
});

export type RawRequest = {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly name?: string; readonly protocolVersion?: string };
};

export type RawHandler = (
  message: RawRequest | null,
  response: ServerResponse,
  request: IncomingMessage,
  body: string,
) => void;

/** Calls `handle` for each request; the message is null when the request has no body. Ends with the test. */
export async function rawHttpServer(handle: RawHandler): Promise<{ readonly url: string }> {
  const { origin, close } = await startLoopbackServer((body, response, request) =>
    handle(body === "" ? null : JSON.parse(body), response, request, body),
  );
  onTestFinished(close);
  return { url: `${origin}/mcp` };
}

/** The text that a well-behaved server with one tool, `t`, answers to a message; null for a notification. */
export function usualAnswer(message: RawRequest, result: unknown = { content: [{ type: "text", text: "done" }] }) {
  const { id, method } = message;
  if (id === undefined) return null;
  const tools = [{ name: "t", inputSchema: { type: "object" } }];
  const results: Record<string, unknown> = { initialize: INITIALIZED, "tools/list": { tools }, "tools/call": result };
  return JSON.stringify({ jsonrpc: "2.0", id, result: results[method ?? ""] ?? {} });
}
