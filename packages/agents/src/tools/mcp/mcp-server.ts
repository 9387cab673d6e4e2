/** One configured server with its tools. The tools of its last list stay valid while it is unreachable. */
import { cutText } from "@agent-paas/shared/text.ts";
import type { Tool } from "../tool.ts";
import type { UnavailableTool } from "../tool-source.ts";
import type { LeftOut, ListedTools } from "./list-tools.ts";
import type { McpServer } from "./mcp-config.ts";
import type { McpLimits } from "./mcp-limits.ts";
import { createMcpServerLink, type McpLogger } from "./mcp-server-link.ts";
import { createMcpTool } from "./mcp-tool.ts";
import { createSessionLinks } from "./session-links.ts";
import { nameTools, toolPrefix } from "./tool-names.ts";

export type McpServerTools = {
  start(): void;
  /** Null while the server has not answered yet. */
  tools(): readonly Tool[] | null;
  /** The tools of its last list that cannot be offered. */
  unavailable(): readonly UnavailableTool[];
  close(): Promise<void>;
};

/** A reason may quote what the server wrote. */
const MAX_REASON_CHARS = 300;

export function createMcpServer(name: string, server: McpServer, logger: McpLogger, limits: McpLimits): McpServerTools {
  let tools: readonly Tool[] | null = null;
  let unavailable: readonly UnavailableTool[] = [];
  const link = createMcpServerLink({ name, server, logger, limits, onTools });
  // The link above lists the tools of a server with one link per session, and makes no calls.
  const sessions = server.scope === "session" ? createSessionLinks({ name, server, logger, limits }) : null;
  const { call } = sessions ?? link;

  function onTools({ tools: listed, leftOut }: ListedTools): void {
    tools = nameTools(name, listed).map(([toolName, tool]) => createMcpTool(toolName, tool, call));
    unavailable = leftOut.map((each) => asUnavailable(name, each));
    const fields = { mcp_server: name, tools: tools.length };
    if (leftOut.length === 0) logger.info(fields, "MCP server listed its tools");
    else
      logger.warn(
        { ...fields, left_out: leftOut.map(asText) },
        "MCP server listed its tools, and some cannot be offered",
      );
  }

  return {
    start: link.start,
    tools: () => tools,
    unavailable: () => unavailable,
    async close() {
      await Promise.all([link.close(), sessions?.close()]);
    },
  };
}

const asText = ({ name, reason }: LeftOut): string => `${name ?? "the rest of the list"}: ${reason}`;

const asUnavailable = (server: string, { name, reason }: LeftOut): UnavailableTool => ({
  name: toolPrefix(server) + (name ?? "*").toWellFormed(),
  reason: cutText(name === null ? `the rest of the list: ${reason}` : reason, MAX_REASON_CHARS).toWellFormed(),
});
