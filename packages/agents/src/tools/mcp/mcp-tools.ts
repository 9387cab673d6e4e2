/**
 * The tools of all configured MCP servers. Servers are connected in the background, so a worker starts without them.
 */
import type { ToolSource } from "../tool-source.ts";
import type { McpServers } from "./mcp-config.ts";
import { MCP_LIMITS, type McpLimits } from "./mcp-limits.ts";
import { createMcpServer } from "./mcp-server.ts";
import type { McpLogger } from "./mcp-server-link.ts";
import { toolPrefix } from "./tool-names.ts";

export type McpTools = ToolSource & {
  start(): void;
  /** Ends all connections; resolves when no server process is left. */
  close(): Promise<void>;
};

export function createMcpTools(servers: McpServers, logger: McpLogger, limits: McpLimits = MCP_LIMITS): McpTools {
  const links = Object.entries(servers).map(([name, server]) => ({
    prefix: toolPrefix(name),
    ...createMcpServer(name, server, logger, limits),
  }));
  return {
    list: () => links.flatMap(({ tools }) => tools() ?? []),
    unavailable: () => links.flatMap(({ unavailable }) => unavailable()),
    expects: (name) => links.some(({ prefix, tools }) => name.startsWith(prefix) && tools() === null),
    start() {
      for (const { start } of links) start();
    },
    async close() {
      await Promise.all(links.map(({ close }) => close()));
    },
  };
}
