/** One configured server with its tools. The tools of its last list stay valid while it is unreachable. */
import type { Tool } from "../tool.ts";
import type { ListedTools } from "./list-tools.ts";
import type { McpServer } from "./mcp-config.ts";
import type { McpLimits } from "./mcp-limits.ts";
import { createMcpServerLink, type McpLogger } from "./mcp-server-link.ts";
import { createMcpTool } from "./mcp-tool.ts";
import { createSessionLinks } from "./session-links.ts";
import { nameTools } from "./tool-names.ts";

export type McpServerTools = {
  start(): void;
  /** Null while the server has not answered yet. */
  tools(): readonly Tool[] | null;
  close(): Promise<void>;
};

export function createMcpServer(name: string, server: McpServer, logger: McpLogger, limits: McpLimits): McpServerTools {
  let tools: readonly Tool[] | null = null;
  const link = createMcpServerLink({ name, server, logger, limits, onTools });
  // The link above lists the tools of a server with one link per session, and makes no calls.
  const sessions = server.scope === "session" ? createSessionLinks({ name, server, logger, limits }) : null;
  const { call } = sessions ?? link;

  function onTools({ tools: listed, leftOut }: ListedTools): void {
    tools = nameTools(name, listed).map(([toolName, tool]) => createMcpTool(toolName, tool, call));
    const fields = { mcp_server: name, tools: tools.length };
    if (leftOut.length === 0) logger.info(fields, "MCP server listed its tools");
    else logger.warn({ ...fields, left_out: leftOut }, "MCP server listed its tools, and some cannot be offered");
  }

  return {
    start: link.start,
    tools: () => tools,
    async close() {
      await Promise.all([link.close(), sessions?.close()]);
    },
  };
}
