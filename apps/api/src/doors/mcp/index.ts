/** The Model Context Protocol: each agent is a tool. */
import type { Door } from "../../http/door.ts";
import { errorSchema, formatError } from "./json-rpc.ts";
import type { McpServices } from "./mcp-services.ts";
import { postMessage } from "./routes/messages.ts";
import { getStream } from "./routes/stream.ts";

export const createMcpDoor = (jobPath: McpServices["jobPath"]): Door => ({
  tags: { MCP: "The Model Context Protocol: each agent is a tool." },
  basePath: "/mcp",
  routes: (services) => {
    const withPath = { ...services, jobPath };
    return [postMessage(withPath), getStream(withPath)];
  },
  formatError,
  errorSchema,
});
