/** For the tests of MCP tools: links to servers with short time limits, and calls of their tools. */
import { SECOND } from "@agent-paas/shared/time.ts";
import { onTestFinished } from "vitest";
import { McpServersSchema } from "../../packages/agents/src/tools/mcp/mcp-config.ts";
import type { McpLimits } from "../../packages/agents/src/tools/mcp/mcp-limits.ts";
import { createMcpTools, type McpTools } from "../../packages/agents/src/tools/mcp/mcp-tools.ts";
import type { Tool } from "../../packages/agents/src/tools/tool.ts";
import { contextWith } from "./tool-context.ts";
import { waitFor } from "./wait-for.ts";

const LIMITS: McpLimits = {
  openMs: 10 * SECOND,
  silentMs: 4 * SECOND,
  pingMs: 500,
  awayMs: 10 * SECOND,
  firstPauseMs: 50,
  longestPauseMs: 200,
};

type LogLine = { readonly fields: Record<string, unknown>; readonly text: string };

/** Starts the links to these servers; they are closed when the test ends. */
export function start(servers: object, limits: Partial<McpLimits> = {}) {
  const log: LogLine[] = [];
  const write = (fields: object, text: string) => void log.push({ fields: { ...fields }, text });
  const logger = { debug: write, info: write, warn: write };
  const tools = createMcpTools(McpServersSchema.parse(JSON.stringify(servers)), logger, { ...LIMITS, ...limits });
  onTestFinished(() => tools.close());
  tools.start();
  return { tools, log };
}

/** Starts the link to one server named `s`, and waits for its tools. */
export async function startListed(server: object, limits: Partial<McpLimits> = {}) {
  const started = start({ s: server }, limits);
  await waitFor("the list of tools", () => started.tools.list().length > 0);
  return started;
}

export function toolOf(tools: McpTools, name: string): Tool {
  const tool = tools.list().find((each) => each.name === `s__${name}`);
  if (tool === undefined) throw new Error(`no tool ${name}`);
  return tool;
}

/** Calls a tool; resolves, when the arguments are checked and the call has begun, with the promise of its result. */
export async function begin(
  tools: McpTools,
  name: string,
  args: object = {},
  signal = AbortSignal.timeout(15 * SECOND),
) {
  const tool = toolOf(tools, name);
  const context = contextWith({ signal });
  const parsed = await tool.parse(args);
  return { result: tool.call(parsed, context) };
}

export const call = async (...args: Parameters<typeof begin>) => (await begin(...args)).result;
