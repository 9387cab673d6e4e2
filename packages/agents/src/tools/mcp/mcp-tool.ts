/** Adapts a tool of an MCP server to the tool interface. */
import { cutText } from "@agent-paas/shared/text.ts";
import type { Tool as McpTool } from "@modelcontextprotocol/sdk/types.js";
import { compileSchema, InvalidSchema, type SchemaCheck } from "../../json-schema/json-schema.ts";
import { DEFAULT_MAX_RESULT_CHARS, DEFAULT_TIMEOUT_MS, type Tool, type ToolContext, ToolError } from "../tool.ts";

const MAX_DESCRIPTION_CHARS = 2_000;

export type McpCall = (tool: string, args: Record<string, unknown>, context: ToolContext) => Promise<unknown>;

export function createMcpTool(name: string, tool: McpTool, call: McpCall): Tool {
  const { $schema: _, ...parameters } = tool.inputSchema;
  const { readOnlyHint, idempotentHint } = tool.annotations ?? {};
  const check = createArgumentCheck(tool.inputSchema);
  return {
    name,
    description: cutText(tool.description ?? tool.title ?? tool.name, MAX_DESCRIPTION_CHARS),
    parameters,
    idempotent: readOnlyHint === true || idempotentHint === true,
    timeoutMs: DEFAULT_TIMEOUT_MS,
    maxResultChars: DEFAULT_MAX_RESULT_CHARS,
    async parse(args, owner = UNNAMED) {
      if (typeof args !== "object" || args === null || Array.isArray(args)) {
        throw new ToolError("The arguments do not fit: expected an object");
      }
      const problem = await check(args, owner);
      if (problem !== null) throw new ToolError(`The arguments do not fit: ${problem}`);
      return args;
    },
    call: (args, context) => call(tool.name, args as Record<string, unknown>, context),
  };
}

/** The owner of calls that name none. */
const UNNAMED = "";

/**
 * Compiles the schema at the first check. One that is invalid is skipped from then on, because the server checks its
 * arguments as well; one that took too long is tried again. Rejects when the platform cannot check at present.
 */
function createArgumentCheck(schema: McpTool["inputSchema"]) {
  let compiled: Promise<SchemaCheck | null> | undefined;

  async function checkFor(owner: string): Promise<SchemaCheck | null> {
    try {
      return await compileSchema(schema, owner);
    } catch (error) {
      if (!(error instanceof InvalidSchema) || error.tooSlow) compiled = undefined;
      if (!(error instanceof InvalidSchema)) throw error;
      return null;
    }
  }

  return async (args: unknown, owner: string): Promise<string | null> => {
    compiled ??= checkFor(owner);
    const check = await compiled;
    return check === null ? null : check(args, owner);
  };
}
