/**
 * One connection to one MCP server, from its start to its loss; it never comes back, a new one takes its place.
 *
 * 1. It is lost once: when its transport ends, when a ping is not answered, or when it is closed. Requests in flight
 *    reject at that moment.
 * 2. `lost`, `probe` and `close` never reject, and after the loss nothing is reported any more.
 */
import { SECOND } from "@agent-paas/shared/time.ts";
import { VERSION } from "@agent-paas/shared/version.ts";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import {
  type CallToolResult,
  CallToolResultSchema,
  ToolListChangedNotificationSchema,
} from "@modelcontextprotocol/sdk/types.js";
import { createHttpTransport } from "./http-transport.ts";
import { type ListedTools, listTools } from "./list-tools.ts";
import type { McpServer } from "./mcp-config.ts";
import { describeError, isAnswer } from "./mcp-errors.ts";
import type { McpLimits } from "./mcp-limits.ts";
import { createStdioTransport } from "./stdio-transport.ts";

export type McpConnectionOptions = {
  readonly server: McpServer;
  readonly limits: McpLimits;
  /** Called with the first list and each later one. */
  readonly onTools: (listed: ListedTools) => void;
  /** What the server writes to standard error, and what the protocol finds odd, line by line. */
  readonly onNote: (line: string) => void;
};

export type McpConnection = {
  /** Connects and lists the tools. Rejects when the connection is lost before. */
  open(): Promise<void>;
  /** Resolves with the reason. */
  readonly lost: Promise<string>;
  isLost(): boolean;
  call(tool: string, args: Record<string, unknown>, signal: AbortSignal): Promise<CallToolResult>;
  /** Whether the server answers a ping; if it does not, the connection is lost. */
  probe(): Promise<boolean>;
  /** Resolves when nothing of the connection is left, no process and no socket. */
  close(reason: string): Promise<void>;
};

/** So that a server that says again and again that its tools have changed is asked once. */
const RELIST_AFTER_MS = SECOND;

export function createMcpConnection({ server, limits, onTools, onNote }: McpConnectionOptions): McpConnection {
  const transport: Transport = "url" in server ? createHttpTransport(server) : createStdioTransport(server, onNote);
  const client = new Client({ name: "agent-paas", version: VERSION });
  const { promise: lost, resolve: tellLost } = Promise.withResolvers<string>();
  let isLost = false;
  let isOpen = false;
  let probing: Promise<boolean> | undefined;
  let closing: Promise<void> | undefined;

  function lose(reason: string): void {
    if (isLost) return;
    isLost = true;
    tellLost(reason);
  }

  client.onclose = () => {
    // Before that, `open` knows better why.
    if (isOpen) lose("it ended the connection");
  };
  client.onerror = (error) => {
    if (isLost) return;
    onNote(error.message);
    // Over HTTP this is all that one hears of a server that is gone.
    if (isOpen && "url" in server) void probe();
  };

  function probe(): Promise<boolean> {
    probing ??= ping().finally(() => {
      probing = undefined;
    });
    return probing;
  }

  async function ping(): Promise<boolean> {
    if (isLost) return false;
    try {
      await client.ping({ timeout: limits.pingMs });
    } catch (error) {
      if (!isAnswer(error)) await close(`it does not answer: ${describeError(error)}`);
    }
    return !isLost;
  }

  function close(reason: string): Promise<void> {
    lose(reason);
    closing ??= transport.close().catch(() => {});
    return closing;
  }

  const opened = Promise.withResolvers<void>();
  let relistIsDue = false;
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => {
    if (!relistIsDue) setTimeout(relist, RELIST_AFTER_MS).unref();
    relistIsDue = true;
  });

  async function relist(): Promise<void> {
    await opened.promise;
    relistIsDue = false;
    if (isLost) return;
    try {
      onTools(await listTools(client, limits.openMs));
    } catch (error) {
      if (!isLost) onNote(`its tools could not be listed: ${describeError(error)}`);
    }
  }

  return {
    lost,
    isLost: () => isLost,
    probe,
    close,
    async open() {
      const late = setTimeout(close, limits.openMs, `it did not answer within ${limits.openMs} ms`);
      try {
        await client.connect(transport, { timeout: 2 * limits.openMs });
        onTools(await listTools(client, limits.openMs));
        isOpen = true;
        opened.resolve();
      } catch (error) {
        lose(describeError(error));
        throw error;
      } finally {
        clearTimeout(late);
      }
    },
    async call(tool, args, signal) {
      signal.throwIfAborted();
      // A signal of the call's own: the SDK never takes its listeners off, and cancels even what has ended.
      const call = new AbortController();
      const abandon = () => call.abort(signal.reason);
      signal.addEventListener("abort", abandon, { once: true });
      const request = { method: "tools/call" as const, params: { name: tool, arguments: args } };
      try {
        return await client.request(request, CallToolResultSchema, { signal: call.signal });
      } finally {
        signal.removeEventListener("abort", abandon);
      }
    },
  };
}
