/** Lists the tools of a server, within limits. A tool that violates the protocol is left out, and the others stay. */
import type { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { type Tool as McpTool, ToolSchema } from "@modelcontextprotocol/sdk/types.js";
import { z } from "zod";

const MAX_TOOLS = 200;
const MAX_PAGES = 200;
const MAX_SCHEMA_CHARS = 50_000;

const PageSchema = z.looseObject({ tools: z.array(z.unknown()), nextCursor: z.string().optional() });

export type ListedTools = { readonly tools: readonly McpTool[]; readonly leftOut: number };

/** `timeoutMs` limits each page. */
export async function listTools(client: Client, timeoutMs: number): Promise<ListedTools> {
  const tools = new Map<string, McpTool>();
  let leftOut = 0;
  if (client.getServerCapabilities()?.tools === undefined) return { tools: [], leftOut };
  let cursor: string | undefined;
  for (let page = 1; page <= MAX_PAGES; page++) {
    const params = cursor === undefined ? {} : { cursor };
    const listed = await client.request({ method: "tools/list", params }, PageSchema, { timeout: timeoutMs });
    for (const each of listed.tools) {
      const { data: tool } = ToolSchema.safeParse(each);
      if (tool && tools.size < MAX_TOOLS && isCallable(tool)) tools.set(tool.name, tool);
      else leftOut++;
    }
    cursor = listed.nextCursor;
    if (cursor === undefined || tools.size === MAX_TOOLS) break;
  }
  return { tools: [...tools.values()], leftOut };
}

/** Some tools can only run as MCP tasks, which this client does not support. */
const isCallable = ({ execution, inputSchema }: McpTool) =>
  execution?.taskSupport !== "required" && charsOf(inputSchema) <= MAX_SCHEMA_CHARS;

function charsOf(schema: object): number {
  try {
    return JSON.stringify(schema).length;
  } catch {
    // The schema is nested too deeply for `JSON.stringify`.
    return Number.POSITIVE_INFINITY;
  }
}
