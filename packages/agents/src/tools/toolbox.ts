/** The tools of this process: those that modules register, and those of MCP servers, which come and go. */
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { createRegistry } from "../registry/registrations.ts";
import { assertToolName, type Tool } from "./tool.ts";

const registered = createRegistry<Tool>("tool");

/**
 * Registers a tool by its name, for `tool_basic` and every agent that asks for it. Throws when the name is taken, or is
 * not one that model providers take.
 */
export function registerTool(tool: Tool): void {
  assertToolName(tool.name);
  registered.add(tool.name, tool);
}

/** Where tools come from that are not known when the process starts. */
export type ToolSource = {
  /** The tools as last listed, also while the source is away. */
  list(): readonly Tool[];
  /** Whether a tool of this name may yet appear: its source is named in the settings and has not answered so far. */
  expects(name: string): boolean;
};

export type Toolbox = {
  /** The names of all tools at present. */
  names(): string[];
  /**
   * The tools of the given names; `x*` stands for all that begin with `x`, `*` for all. Throws `invalid_config` for what
   * no tool is called, and `tool_unavailable`, which is retryable, where a server has not answered yet.
   */
  select(patterns: readonly string[]): Tool[];
};

export function createToolbox(source?: ToolSource): Toolbox {
  const all = () =>
    new Map([...(source?.list() ?? []), ...registered.values()].map((tool) => [tool.name, tool] as const));
  return {
    names: () => [...all().keys()],
    select(patterns) {
      const tools = all();
      const chosen = patterns.flatMap((pattern) => {
        const matching = [...tools.values()].filter(({ name }) => matchesName(pattern, name));
        if (matching.length === 0 && pattern !== "*") throw missing(pattern, source);
        return matching;
      });
      return [...new Set(chosen)];
    },
  };
}

/** Whether a tool's name is the pattern, or begins with what stands before its `*`. */
export const matchesName = (pattern: string, name: string): boolean =>
  pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : pattern === name;

function missing(pattern: string, source: ToolSource | undefined): PlatformError {
  const isPattern = pattern.endsWith("*");
  if (source?.expects(isPattern ? pattern.slice(0, -1) : pattern)) {
    return new PlatformError("tool_unavailable", {
      message: `The server of the tool "${pattern}" has not answered yet.`,
    });
  }
  const message = isPattern ? `No tool's name begins like "${pattern}".` : `There is no tool "${pattern}".`;
  return new PlatformError("invalid_config", { message });
}
