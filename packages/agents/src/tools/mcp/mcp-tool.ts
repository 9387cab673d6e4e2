/** Adapts a tool of an MCP server to the tool interface. */
import type { Tool as McpTool } from "@modelcontextprotocol/sdk/types.js";
import { compileSchema, type SchemaCheck } from "../../json-schema/json-schema.ts";
import { DEFAULT_MAX_RESULT_CHARS, DEFAULT_TIMEOUT_MS, type Tool, type ToolContext, ToolError } from "../tool.ts";

const MAX_DESCRIPTION_CHARS = 2_000;

export type McpCall = (tool: string, args: Record<string, unknown>, context: ToolContext) => Promise<unknown>;

export function createMcpTool(name: string, tool: McpTool, call: McpCall): Tool {
  const { $schema: _, ...parameters } = tool.inputSchema;
  const { readOnlyHint, idempotentHint } = tool.annotations ?? {};
  let check: SchemaCheck | undefined;
  return {
    name,
    description: (tool.description ?? tool.title ?? tool.name).slice(0, MAX_DESCRIPTION_CHARS),
    parameters,
    idempotent: readOnlyHint === true || idempotentHint === true,
    timeoutMs: DEFAULT_TIMEOUT_MS,
    maxResultChars: DEFAULT_MAX_RESULT_CHARS,
    parse(args) {
      if (typeof args !== "object" || args === null || Array.isArray(args)) {
        throw new ToolError("The arguments do not fit: expected an object");
      }
      check ??= checkOf(tool.inputSchema);
      const problem = check(args);
      if (problem !== null) throw new ToolError(`The arguments do not fit: ${problem}`);
      return args;
    },
    call: (args, context) => call(tool.name, args as Record<string, unknown>, context),
  };
}

/** A schema that cannot be compiled here is skipped, because the server checks its arguments as well. */
function checkOf(schema: McpTool["inputSchema"]): SchemaCheck {
  try {
    return compileSchema(schema);
  } catch {
    return () => null;
  }
}
