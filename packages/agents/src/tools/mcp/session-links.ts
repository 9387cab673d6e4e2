/**
 * The links to a server that keeps something between its calls (a browser's page, a working directory) and of which
 * each session gets its own: for a program a process, for a URL a session of the protocol. A job without a session has
 * one until it ends.
 *
 * 1. A link is opened by the first call of its session, and closed when it was idle for `idle_seconds`.
 * 2. There are at most `max_sessions` in a worker. Another session takes the place of the one that is idle for longest;
 *    while none is idle, its calls fail.
 * 3. A session is not bound to a worker: its next job may run in another one, where its link is new.
 */
import { SECOND } from "@agent-paas/shared/time.ts";
import { type ToolContext, ToolError } from "../tool.ts";
import { createMcpServerLink, type McpServerLink, type McpServerLinkOptions } from "./mcp-server-link.ts";
import type { McpCall } from "./mcp-tool.ts";

export type SessionLinks = {
  readonly call: McpCall;
  /** Resolves when no link is left, those that were closed before included. */
  close(): Promise<void>;
};

export type SessionLinksOptions = Omit<McpServerLinkOptions, "onTools">;

type Entry = { readonly link: McpServerLink; calls: number; idle?: NodeJS.Timeout };

export function createSessionLinks({ name, server, logger, limits }: SessionLinksOptions): SessionLinks {
  /** By session or job; the one that was used last is the last. */
  const entries = new Map<string, Entry>();
  const closing = new Set<Promise<void>>();
  let isClosed = false;

  function end(key: string, why: string): void {
    const entry = entries.get(key);
    if (entry === undefined) return;
    entries.delete(key);
    clearTimeout(entry.idle);
    logger.debug({ mcp_server: name, session: key, why }, "MCP server of a session is ended");
    const closed: Promise<void> = entry.link.close().finally(() => closing.delete(closed));
    closing.add(closed);
  }

  function makeRoom(): void {
    if (entries.size < server.max_sessions) return;
    const idle = [...entries].find(([, { calls }]) => calls === 0);
    if (idle === undefined) {
      throw new ToolError(
        `The server "${name}" of this tool works for ${server.max_sessions} sessions already. Try again later.`,
      );
    }
    end(idle[0], "another session needs its place");
  }

  function open(key: string, { sessionId, ended }: ToolContext): Entry {
    makeRoom();
    const own = { ...limits, awayMs: Math.max(limits.awayMs, limits.openMs) };
    const link = createMcpServerLink({ name, server, logger, limits: own, onTools: null });
    link.start();
    if (sessionId === null) ended.addEventListener("abort", () => end(key, "the job has ended"), { once: true });
    return { link, calls: 0 };
  }

  return {
    async call(tool, args, context) {
      context.signal.throwIfAborted();
      if (isClosed) throw new ToolError(`The server "${name}" of this tool is closed.`);
      const key = context.sessionId ?? `job ${context.jobId}`;
      const entry = entries.get(key) ?? open(key, context);
      entries.delete(key);
      entries.set(key, entry);
      entry.calls++;
      clearTimeout(entry.idle);
      try {
        return await entry.link.call(tool, args, context);
      } finally {
        entry.calls--;
        if (entry.calls === 0 && entries.get(key) === entry) {
          entry.idle = setTimeout(end, server.idle_seconds * SECOND, key, "it was idle").unref();
        }
      }
    },
    async close() {
      isClosed = true;
      for (const key of [...entries.keys()]) end(key, "the worker stops");
      await Promise.all(closing);
    },
  };
}
