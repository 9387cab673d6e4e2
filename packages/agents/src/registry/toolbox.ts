/** The tools of one process: those that are registered by name, and those of a source whose tools come and go. */
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { assertToolName, matchesName, type Tool } from "../tools/tool.ts";
import type { ToolSelection, ToolSource, UnavailableTool } from "../tools/tool-source.ts";
import { createNameRegistry, type Holder } from "./name-registry.ts";

export type Toolbox = ToolSelection & {
  /** Throws when the name is taken or is not one that model providers take. `holder` defaults to the platform. */
  add(tool: Tool, holder?: Holder): void;
  /** The names of all tools that are offered at present. */
  names(): string[];
  /** The tools that servers list and that cannot be offered. */
  unavailable(): readonly UnavailableTool[];
  /** Removes what the plugin `file` registered, and refuses whatever it registers later. */
  revoke(file: string): void;
};

export function createToolbox(source?: ToolSource): Toolbox {
  const registered = createNameRegistry<Tool>("tool");
  const all = () =>
    new Map([...(source?.list() ?? []), ...registered.values()].map((tool) => [tool.name, tool] as const));
  return {
    add(tool, holder = null) {
      assertToolName(tool.name);
      registered.add(tool.name, tool, holder);
    },
    names: () => [...all().values()].filter(isOffered).map(({ name }) => name),
    unavailable: () => source?.unavailable() ?? [],
    select(patterns) {
      const tools = all();
      const chosen = patterns.flatMap((pattern) => {
        const matching = [...tools.values()].filter(
          (tool) => tool.name === pattern || (isOffered(tool) && matchesName(pattern, tool.name)),
        );
        if (matching.length === 0 && pattern !== "*") throw missing(pattern, source);
        return matching;
      });
      return [...new Set(chosen)];
    },
    revoke: registered.revoke,
  };
}

const isOffered = ({ isOff = false }: Tool): boolean => !isOff;

function missing(pattern: string, source: ToolSource | undefined): PlatformError {
  const isPattern = pattern.endsWith("*");
  if (source?.expects(isPattern ? pattern.slice(0, -1) : pattern)) {
    return new PlatformError("tool_unavailable", {
      message: `The server of the tool "${pattern}" has not answered yet.`,
    });
  }
  const message = isPattern ? `No tool's name begins like "${pattern}".` : `There is no tool "${pattern}".`;
  const leftOut = source?.unavailable().find(({ name }) => matchesName(pattern, name) || matchesName(name, pattern));
  if (leftOut === undefined) return new PlatformError("invalid_config", { message });
  const { name, reason } = leftOut;
  return new PlatformError("invalid_config", { message: `${message} "${name}" cannot be offered: ${reason}.` });
}
