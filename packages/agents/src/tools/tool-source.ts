/** The two sides of a set of tools: where tools come from, and how an agent picks some of them. */
import type { Tool } from "./tool.ts";

/** Tools that are not known when the process starts, such as those of MCP servers. */
export type ToolSource = {
  /** The tools as last listed, also while the source is unreachable. */
  list(): readonly Tool[];
  /** Whether a tool of this name may still appear: its source is configured and has not answered so far. */
  expects(name: string): boolean;
  /** Tools that the source lists and that cannot be offered. */
  unavailable(): readonly UnavailableTool[];
};

export type UnavailableTool = {
  /** As the model would see it; `x*` for an unknown number of tools. */
  readonly name: string;
  /** Why it cannot be offered, for the one who wants it. */
  readonly reason: string;
};

export type ToolSelection = {
  /**
   * The tools of the given names; `x*` selects every name that begins with `x`, `*` selects all. Throws
   * `invalid_config` for a name that no tool has, and `tool_unavailable`, which is retryable, for a server that has not
   * answered yet.
   */
  select(patterns: readonly string[]): Tool[];
};
