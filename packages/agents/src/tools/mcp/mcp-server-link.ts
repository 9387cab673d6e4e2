/**
 * The link to one configured server: one connection at a time, which is replaced when it is lost.
 *
 * 1. A lost connection fails the calls in flight on it; calls made while the server is unreachable wait for it briefly.
 * 2. A call is repeated only if the server has certainly not begun it.
 */
import { EventEmitter, once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { ToolError } from "../tool.ts";
import type { ListedTools } from "./list-tools.ts";
import type { McpServer } from "./mcp-config.ts";
import { createMcpConnection, type McpConnection } from "./mcp-connection.ts";
import { describeToModel, isAnswer, wasRefused } from "./mcp-errors.ts";
import type { McpLimits } from "./mcp-limits.ts";
import type { McpCall } from "./mcp-tool.ts";

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
  /** Resolves with what the server answered. */
  readonly call: McpCall;
  close(): Promise<void>;
};

export type McpServerLinkOptions = {
  readonly name: string;
  readonly server: McpServer;
  readonly logger: McpLogger;
  readonly limits: McpLimits;
  /** Called with the list of tools whenever the server has given it; null: it is not asked for. */
  readonly onTools: ((listed: ListedTools) => void) | null;
};

export function createMcpServerLink(options: McpServerLinkOptions): McpServerLink {
  const { name, server, logger, limits, onTools } = options;
  const fields = { mcp_server: name };
  const closing = new AbortController();
  /** Emits `up` with the connection. Every waiting call adds a listener, so their number has no limit. */
  const changes = new EventEmitter().setMaxListeners(0);
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

  const call: McpCall = async (tool, args, { signal, stillWorking }) => {
    for (let tries = 1; ; tries++) {
      const current = await connected(signal);
      try {
        return await current.call(tool, args, signal, stillWorking);
      } catch (error) {
        if (isAnswer(error)) throw new ToolError(`The tool failed: ${describeToModel(error)}`);
        // A server that missed a time limit may never answer again, so the connection is probed.
        const isAlive = current.probe();
        signal.throwIfAborted();
        if (await isAlive) throw new ToolError(`The server did not take the call: ${describeToModel(error)}`);
        if (wasRefused(error) && tries === 1) continue;
        throw new ToolError(`The server "${name}" was lost during the call; whether it took effect is not known.`);
      }
    }
  };

  return {
    start() {
      running ??= run();
    },
    call,
    async close() {
      closing.abort();
      await connection?.close("closed");
      await running;
    },
  };
}
