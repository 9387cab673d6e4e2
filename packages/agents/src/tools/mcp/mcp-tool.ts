/** Adapts a tool of an MCP server to the tool interface. */
import { cutText } from "@agent-paas/shared/text.ts";
import { MINUTE } from "@agent-paas/shared/time.ts";
import { DEFAULT_MAX_RESULT_CHARS, DEFAULT_TIMEOUT_MS, type Tool, type ToolContext, ToolError } from "../tool.ts";
import { createToolCheck } from "./argument-check.ts";
import type { ListedTool } from "./read-tool.ts";
import { readResult } from "./tool-result.ts";

const MAX_DESCRIPTION_CHARS = 2_000;
/** For a call of which the server reports progress. */
const LONGEST_MS = 5 * MINUTE;

/** Calls a tool by its own name; resolves with what the server answered. */
export type McpCall = (tool: string, args: Record<string, unknown>, context: ToolContext) => Promise<unknown>;

export function createMcpTool(name: string, tool: ListedTool, call: McpCall): Tool {
  const { $schema: _, ...parameters } = tool.inputSchema;
  const check = createToolCheck(tool.inputSchema);
  const checkResult = tool.outputSchema === null ? null : createToolCheck(tool.outputSchema);
  return {
    name,
    description: cutText(tool.description, MAX_DESCRIPTION_CHARS),
    parameters,
    idempotent: tool.idempotent,
    timeoutMs: DEFAULT_TIMEOUT_MS,
    longestMs: LONGEST_MS,
    maxResultChars: DEFAULT_MAX_RESULT_CHARS,
    async parse(args, owner) {
      if (typeof args !== "object" || args === null || Array.isArray(args)) {
        throw new ToolError("The arguments do not fit: expected an object");
      }
      const problem = await check(args, owner);
      if (problem !== null) throw new ToolError(`The arguments do not fit: ${problem}`);
      return args;
    },
    call: async (args, context) =>
      readResult(
        await call(tool.name, args as Record<string, unknown>, context),
        checkResult && ((value) => checkResult(value, context.owner)),
      ),
  };
}
