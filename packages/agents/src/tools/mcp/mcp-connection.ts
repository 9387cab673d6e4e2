/**
 * One connection to one MCP server, from its start to its loss. A lost connection is never reopened; a new one replaces
 * it.
 *
 * 1. A connection is lost once: when its transport ends, when a ping is not answered, or when it is closed. Requests in
 *    flight reject at that moment, or with the server's own refusal if it has forgotten the session.
 * 2. Over HTTP a silent link looks like a slow tool, so a server that is silent during a call is pinged.
 * 3. `lost`, `probe` and `close` never reject, and a lost connection calls no callback.
 */
import { EventEmitter, once } from "node:events";
import { HOUR, SECOND } from "@agent-paas/shared/time.ts";
import { VERSION } from "@agent-paas/shared/version.ts";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import { ToolListChangedNotificationSchema } from "@modelcontextprotocol/sdk/types.js";
import { z } from "zod";
import { createHttpTransport } from "./http-transport.ts";
import { type ListedTools, listTools } from "./list-tools.ts";
import type { McpServer } from "./mcp-config.ts";
import { describeError, isAnswer, wasRefused } from "./mcp-errors.ts";
import type { McpLimits } from "./mcp-limits.ts";
import { refuseRequest } from "./refuse-request.ts";
import { createStdioTransport } from "./stdio-transport.ts";

/** What is read of a result is read field by field (tool-result.ts): one odd part must not cost the others. */
const AnyResultSchema = z.looseObject({});

export type McpConnectionOptions = {
  readonly server: McpServer;
  readonly limits: McpLimits;
  /** Called with the first list of tools and with each later one. Null: the tools are not listed. */
  readonly onTools: ((listed: ListedTools) => void) | null;
  /** Called with each line that the server writes to standard error, and with each protocol error. */
  readonly onNote: (line: string) => void;
};

export type McpConnection = {
  /** Connects and lists the tools. Rejects when the connection is lost meanwhile. */
  open(): Promise<void>;
  /** Resolves with the reason when the connection is lost. */
  readonly lost: Promise<string>;
  isLost(): boolean;
  /** Resolves with the result as the server wrote it. `onProgress` is called whenever the server reports progress. */
  call(tool: string, args: Record<string, unknown>, signal: AbortSignal, onProgress: () => void): Promise<unknown>;
  /** Whether the server answers a ping. If not, the connection is closed. */
  probe(): Promise<boolean>;
  /** Resolves when no process and no socket of the connection is left. */
  close(reason: string): Promise<void>;
};

/** The bound of a call is its signal's; the SDK's own limit of 60 s must not end a call that reports progress. */
const NO_OWN_LIMIT_MS = HOUR;

/** Delay before changed tools are listed again, so that a burst of notifications causes one request. */
const RELIST_AFTER_MS = SECOND;

export function createMcpConnection({ server, limits, onTools, onNote }: McpConnectionOptions): McpConnection {
  const transport: Transport = "url" in server ? createHttpTransport(server) : createStdioTransport(server, onNote);
  const client = new Client({ name: "agent-paas", version: VERSION });
  const { promise: lost, resolve: resolveLost } = Promise.withResolvers<string>();
  let isLost = false;
  let isOpen = false;
  let probing: Promise<boolean> | undefined;
  let draining = Promise.resolve();
  let closing: Promise<void> | undefined;

  function lose(reason: string): void {
    if (isLost) return;
    isLost = true;
    resolveLost(reason);
  }

  client.fallbackRequestHandler = (request) => refuseRequest(request, onNote);
  client.onclose = () => {
    // While the connection opens, `open` reports a more precise reason.
    if (isOpen) lose("it ended the connection");
  };
  client.onerror = (error) => {
    if (isLost) return;
    onNote(error.message);
    // Over HTTP an error is the only sign of a server that is gone.
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
      if (isAnswer(error)) return !isLost;
      // A server that has forgotten the session refuses each call in flight by itself, so that it can be repeated.
      if (wasRefused(error)) draining = settledWithin(limits.pingMs);
      // Otherwise the calls fail at once; the owner waits for the end of the close.
      void close(`it does not answer: ${describeError(error)}`);
    }
    return !isLost;
  }

  function close(reason: string): Promise<void> {
    lose(reason);
    closing ??= draining.then(() => transport.close()).catch(() => {});
    return closing;
  }

  /** Resolves when no call is in flight, or after `ms`. */
  async function settledWithin(ms: number): Promise<void> {
    if (calls > 0) await once(settled, "settled", { signal: AbortSignal.timeout(ms) }).catch(() => {});
  }

  const settled = new EventEmitter();
  let calls = 0;
  let silence: NodeJS.Timeout | undefined;

  function beginCall(): void {
    calls++;
    if ("url" in server) silence ??= setInterval(() => void probe(), limits.silentMs);
  }

  function endCall(): void {
    calls--;
    if (calls > 0) return void silence?.refresh();
    clearInterval(silence);
    silence = undefined;
    settled.emit("settled");
  }

  const opened = Promise.withResolvers<void>();
  let relistIsDue = false;
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => {
    if (!relistIsDue && onTools !== null) setTimeout(relist, RELIST_AFTER_MS).unref();
    relistIsDue = true;
  });

  async function relist(): Promise<void> {
    await opened.promise;
    relistIsDue = false;
    if (isLost) return;
    try {
      await list();
    } catch (error) {
      if (!isLost) onNote(`its tools could not be listed: ${describeError(error)}`);
    }
  }

  async function list(): Promise<void> {
    if (onTools === null) return;
    // Some servers have tools and do not declare them; those that have none may answer anything.
    const isDeclared = client.getServerCapabilities()?.tools !== undefined;
    const pageMs = isDeclared ? limits.openMs : limits.pingMs;
    try {
      onTools(await listTools(client, pageMs, AbortSignal.timeout(2 * limits.openMs)));
    } catch (error) {
      if (isDeclared || isLost) throw error;
      onTools({ tools: [], leftOut: [] });
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
        await list();
        isOpen = true;
        opened.resolve();
      } catch (error) {
        lose(describeError(error));
        throw error;
      } finally {
        clearTimeout(late);
      }
    },
    async call(tool, args, signal, onProgress) {
      signal.throwIfAborted();
      // A separate signal per call: the SDK never removes its listeners, and cancels even calls that have ended.
      const call = new AbortController();
      const abandon = () => call.abort(signal.reason);
      signal.addEventListener("abort", abandon, { once: true });
      const request = { method: "tools/call" as const, params: { name: tool, arguments: args } };
      beginCall();
      try {
        return await client.request(request, AnyResultSchema, {
          signal: call.signal,
          timeout: NO_OWN_LIMIT_MS,
          onprogress: onProgress,
        });
      } finally {
        endCall();
        signal.removeEventListener("abort", abandon);
      }
    },
  };
}
