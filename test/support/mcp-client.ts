/**
 * MCP's own SDK as a client of one API process. Each answer, and each event, is held against the OpenAPI document: a
 * violation fails the call that saw it.
 */
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { createParser } from "eventsource-parser";
import { answerChecks } from "./answer-checks.ts";
import type { Json } from "./api-client.ts";

const PATH = "/mcp";

/** A fetch whose answers are checked; `to` sends requests elsewhere than the client thinks, as a proxy would. */
export const checkedFetch =
  (to: () => string | null = () => null): typeof fetch =>
  async (input, init) => {
    const target = to();
    const url = target === null ? input : target + PATH;
    const response = await fetch(url as string, init);
    const { method = "GET" } = init ?? {};
    const checks = await answerChecks();
    const isStream = response.headers.get("content-type")?.startsWith("text/event-stream") ?? false;
    if (!isStream || response.body === null) {
      const text = await response.clone().text();
      const body = text.startsWith("{") ? JSON.parse(text) : text;
      checks.answer(method, PATH, { status: response.status, headers: response.headers, body });
      return response;
    }
    const decoder = new TextDecoder();
    const parser = createParser({
      onEvent({ id, event = "message", data }) {
        // The first event of a stream that can be resumed says only where it begins.
        if (data !== "")
          checks.event(method, PATH, { ...(id === undefined ? {} : { id }), event, data: JSON.parse(data) });
      },
    });
    const checked = response.body.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          parser.feed(decoder.decode(chunk, { stream: true }));
          controller.enqueue(chunk);
        },
      }),
    );
    return new Response(checked, { status: response.status, headers: response.headers });
  };

export type McpOptions = {
  readonly capabilities?: Json;
  readonly fetch?: typeof fetch;
};

/** Connected: the handshake is done. */
export async function connectMcp(origin: string, apiKey: string, { capabilities = {}, ...options }: McpOptions = {}) {
  const transport = new StreamableHTTPClientTransport(new URL(origin + PATH), {
    requestInit: { headers: { Authorization: `Bearer ${apiKey}` } },
    fetch: options.fetch ?? checkedFetch(),
    reconnectionOptions: {
      ...{ initialReconnectionDelay: 100, maxReconnectionDelay: 1_000 },
      ...{ reconnectionDelayGrowFactor: 2, maxRetries: 20 },
    },
  });
  const client = new Client({ name: "agent-paas-test", version: "1.0.0" }, { capabilities });
  const errors: Error[] = [];
  client.onerror = (error) => errors.push(error);
  await client.connect(transport);
  return {
    client,
    transport,
    /** What the client's transport could not read. */
    errors,
    call: async (name: string, args: Json, options: Json = {}): Promise<Json> =>
      client.callTool({ name, arguments: args }, undefined, { timeout: 60_000, ...options }),
    close: () => client.close(),
  };
}
export type McpClient = Awaited<ReturnType<typeof connectMcp>>;

export const mcpHeaders = (apiKey: string) => ({
  Authorization: `Bearer ${apiKey}`,
  "Content-Type": "application/json",
  Accept: "application/json, text/event-stream",
});

/** One message as it is, without any SDK; the answer is checked. */
export async function sendMcp(origin: string, body: unknown, headers: Record<string, string>) {
  const response = await checkedFetch()(origin + PATH, {
    method: "POST",
    headers,
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text.startsWith("{") ? JSON.parse(text) : text };
}

/** The messages of a stream that was read to its end. */
export function messagesOf(stream: string): Json[] {
  const messages: Json[] = [];
  createParser({ onEvent: ({ data }) => data !== "" && messages.push(JSON.parse(data)) }).feed(stream);
  return messages;
}
