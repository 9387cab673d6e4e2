/**
 * The link to one configured server: one connection at a time, which is replaced when it is lost.
 *
 * 1. A lost connection fails the calls in flight on it; calls made while the server is unreachable wait for it briefly.
 * 2. The tools of the last list stay valid until a newer list arrives, also while the server is unreachable.
 * 3. A call is repeated only if the server has certainly not begun it.
 */
import { EventEmitter, once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { type Tool, type ToolContext, ToolError } from "../tool.ts";
import type { ListedTools } from "./list-tools.ts";
import type { McpServer } from "./mcp-config.ts";
import { createMcpConnection, type McpConnection } from "./mcp-connection.ts";
import { describeToModel, isAnswer, wasRefused } from "./mcp-errors.ts";
import type { McpLimits } from "./mcp-limits.ts";
import { createMcpTool } from "./mcp-tool.ts";
import { nameTools } from "./tool-names.ts";
import { readResult } from "./tool-result.ts";

export type McpLogger = {
  debug(fields: object, text: string): void;
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
};

/** Lines of standard error that are logged when a server is lost: the last ones mostly contain the cause. */
const NOTES_KEPT = 5;

export type McpServerLink = {
  /** Connects in the background and keeps connected until `close`. */
  start(): void;
  /** The tools as last listed; null while the server has not answered yet. */
  tools(): readonly Tool[] | null;
  close(): Promise<void>;
};

export function createMcpServerLink(
  name: string,
  server: McpServer,
  logger: McpLogger,
  limits: McpLimits,
): McpServerLink {
  const fields = { mcp_server: name };
  const closing = new AbortController();
  /** Emits `up` with the connection. Every waiting call adds a listener, so their number has no limit. */
  const changes = new EventEmitter().setMaxListeners(0);
  let tools: readonly Tool[] | null = null;
  let connection: McpConnection | undefined;
  let isUp = false;
  let notes: string[] = [];
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    let pauseMs = limits.firstPauseMs;
    while (!closing.signal.aborted) {
      const begunAt = performance.now();
      const reason = await connectOnce();
      if (closing.signal.aborted) return;
      // A server that was connected for long is tried again soon, a flapping server ever less often.
      if (performance.now() - begunAt > limits.longestPauseMs) pauseMs = limits.firstPauseMs;
      const jittered = Math.round(pauseMs * (0.75 + Math.random() / 2));
      logger.warn({ ...fields, reason, notes, pause_ms: jittered }, "MCP server is away and will be tried again");
      const pause = delay(jittered, undefined, { signal: closing.signal }).catch(() => {});
      await Promise.all([connection?.close(reason), pause]);
      pauseMs = Math.min(2 * pauseMs, limits.longestPauseMs);
    }
  }

  /** Opens one connection and waits until it is lost; returns the reason. */
  async function connectOnce(): Promise<string> {
    const current = createMcpConnection({ server, limits, onTools, onNote });
    connection = current;
    notes = [];
    try {
      await current.open();
      isUp = true;
      changes.emit("up", current);
    } catch {
      // `lost` resolves with the reason.
    }
    const reason = await current.lost;
    isUp = false;
    return reason;
  }

  function onTools({ tools: listed, leftOut }: ListedTools): void {
    tools = nameTools(name, listed).map(([toolName, tool]) => createMcpTool(toolName, tool, call));
    logger.info({ ...fields, tools: tools.length, left_out: leftOut }, "MCP server listed its tools");
  }

  function onNote(note: string): void {
    notes = [...notes, note].slice(-NOTES_KEPT);
    logger.debug({ ...fields, note }, "MCP server");
  }

  async function connected(signal: AbortSignal): Promise<McpConnection> {
    if (isUp && connection?.isLost() === false) return connection;
    const waiting = AbortSignal.any([signal, closing.signal, AbortSignal.timeout(limits.awayMs)]);
    try {
      const [next] = (await once(changes, "up", { signal: waiting })) as [McpConnection];
      return next;
    } catch {
      signal.throwIfAborted();
      throw new ToolError(`The server "${name}" of this tool is away. Try again later, or do without the tool.`);
    }
  }

  async function call(tool: string, args: Record<string, unknown>, context: ToolContext): Promise<unknown> {
    const { signal } = context;
    for (let tries = 1; ; tries++) {
      const current = await connected(signal);
      try {
        return readResult(await current.call(tool, args, signal));
      } catch (error) {
        if (error instanceof ToolError) throw error;
        if (isAnswer(error)) throw new ToolError(`The tool failed: ${describeToModel(error)}`);
        // A server that missed a time limit may never answer again, so the connection is probed.
        const isAlive = current.probe();
        signal.throwIfAborted();
        if (await isAlive) throw new ToolError(`The server did not take the call: ${describeToModel(error)}`);
        if (wasRefused(error) && tries === 1) continue;
        throw new ToolError(`The server "${name}" was lost during the call; whether it took effect is not known.`);
      }
    }
  }

  return {
    start() {
      running ??= run();
    },
    tools: () => tools,
    async close() {
      closing.abort();
      await connection?.close("closed");
      await running;
    },
  };
}
