/** Adapts a tool of an MCP server to the tool interface. */
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { Tool as McpTool } from "@modelcontextprotocol/sdk/types.js";
import { compileSchema, type SchemaCheck } from "../../json-schema/json-schema.ts";
import { DEFAULT_MAX_RESULT_CHARS, DEFAULT_TIMEOUT_MS, type Tool, type ToolContext, ToolError } from "../tool.ts";

const MAX_DESCRIPTION_CHARS = 2_000;

export type McpCall = (tool: string, args: Record<string, unknown>, context: ToolContext) => Promise<unknown>;

export function createMcpTool(name: string, tool: McpTool, call: McpCall): Tool {
  const { $schema: _, ...parameters } = tool.inputSchema;
  const { readOnlyHint, idempotentHint } = tool.annotations ?? {};
  let check: Promise<SchemaCheck> | undefined;
  return {
    name,
    description: (tool.description ?? tool.title ?? tool.name).slice(0, MAX_DESCRIPTION_CHARS),
    parameters,
    idempotent: readOnlyHint === true || idempotentHint === true,
    timeoutMs: DEFAULT_TIMEOUT_MS,
    maxResultChars: DEFAULT_MAX_RESULT_CHARS,
    async parse(args) {
      if (typeof args !== "object" || args === null || Array.isArray(args)) {
        throw new ToolError("The arguments do not fit: expected an object");
      }
      check ??= checkOf(tool.inputSchema).catch((error: unknown) => {
        check = undefined;
        throw error;
      });
      const problem = await (await check)(args);
      if (problem !== null) throw new ToolError(`The arguments do not fit: ${problem}`);
      return args;
    },
    call: (args, context) => call(tool.name, args as Record<string, unknown>, context),
  };
}

/**
 * A schema that cannot be compiled here is skipped, because the server checks its arguments as well. Rejects when the
 * schema could be compiled later.
 */
async function checkOf(schema: McpTool["inputSchema"]): Promise<SchemaCheck> {
  try {
    return await compileSchema(schema);
  } catch (error) {
    if (error instanceof PlatformError) throw error;
    return async () => null;
  }
}
