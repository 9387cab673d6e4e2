/** Lists the tools of a server, within limits. A tool that cannot be offered is left out by name; the others stay. */
import { isFields } from "@agent-paas/shared/json/fields.ts";
import type { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { z } from "zod";
import { assertUsable } from "./argument-check.ts";
import { describeError } from "./mcp-errors.ts";
import { type ListedTool, nameOf, readTool } from "./read-tool.ts";

const MAX_TOOLS = 200;
const MAX_PAGES = 200;
/** How many tools that are left out are named. */
const MAX_NAMED = 20;

const PageSchema = z.looseObject({ tools: z.unknown().optional(), nextCursor: z.unknown().optional() });

export type LeftOut = {
  /** As the server names it, or its place in the list; null: the rest of the list. */
  readonly name: string | null;
  readonly reason: string;
};

export type ListedTools = {
  readonly tools: readonly ListedTool[];
  /** Others, which cannot be offered, at most `MAX_NAMED`. */
  readonly leftOut: readonly LeftOut[];
};

/** `pageMs` limits each page, `signal` the whole. */
export async function listTools(client: Client, pageMs: number, signal: AbortSignal): Promise<ListedTools> {
  const tools = new Map<string, ListedTool>();
  const leftOut: LeftOut[] = [];
  const leave = (name: string | null, reason: string) => {
    if (leftOut.length < MAX_NAMED) leftOut.push({ name, reason });
  };

  async function take(entry: unknown, index: number): Promise<void> {
    try {
      const tool = readTool(entry);
      if (tools.has(tool.name)) throw new Error("its name is listed twice");
      if (tools.size === MAX_TOOLS) throw new Error(`the server has more than ${MAX_TOOLS} tools`);
      await assertUsable(tool.inputSchema);
      tools.set(tool.name, tool);
    } catch (error) {
      leave(nameOf(entry, index), describeError(error));
    }
  }

  const seen = new Set<string>();
  let index = 0;
  let cursor: string | null = null;
  for (let page = 1; page <= MAX_PAGES; page++) {
    const params = cursor === null ? {} : { cursor };
    let listed: z.output<typeof PageSchema>;
    try {
      const request = { method: "tools/list", params } as const;
      listed = await client.request(request, PageSchema, { timeout: pageMs, signal });
    } catch (error) {
      // The tools of earlier pages can be called.
      if (page === 1 || signal.aborted) throw error;
      leave(null, describeError(error));
      break;
    }
    for (const entry of entriesOf(listed.tools)) await take(entry, index++);
    cursor = cursorOf(listed.nextCursor);
    if (cursor === null) break;
    if (seen.has(cursor) || page === MAX_PAGES) leave(null, "it has no end");
    if (seen.has(cursor) || tools.size === MAX_TOOLS) break;
    seen.add(cursor);
  }
  return { tools: [...tools.values()], leftOut };
}

/** Some servers list their tools by name. */
function entriesOf(tools: unknown): readonly unknown[] {
  if (Array.isArray(tools)) return tools;
  if (tools === undefined || tools === null) return [];
  if (!isFields(tools)) throw new Error("its list of tools is no list");
  return Object.entries(tools).map(([name, tool]) => (isFields(tool) ? { name, ...tool } : tool));
}

/** An absent, empty or odd cursor is the end of the list. */
function cursorOf(cursor: unknown): string | null {
  if (typeof cursor === "number") return String(cursor);
  return typeof cursor === "string" && cursor !== "" ? cursor : null;
}
