/**
 * What plugins call to register. The registries are those of the load that imports the plugin. Outside a load, as in a
 * unit test of the plugin, the calls check what they get and register nothing.
 */
import type { z } from "zod";
import type { AgentClass } from "../agent/agent.ts";
import type { Tool } from "../tools/tool.ts";
import { createAgentRegistry } from "./agent-registry.ts";
import { currentPlugin, holderIn } from "./plugin-scope.ts";
import { createToolbox } from "./toolbox.ts";

/**
 * Registers an agent class under an id: `registerAgent("shout")(ShoutAgent)`, or `@registerAgent("shout")` where a
 * transpiler supports decorators. Throws when the id is not `a-z0-9_-`, or is taken, when the class lacks a member, and
 * when its config schema has no JSON Schema form.
 */
export function registerAgent(id: string) {
  return <Schema extends z.ZodType>(agent: AgentClass<Schema>): void => {
    const scope = currentPlugin();
    if (scope === undefined) createAgentRegistry().register(id, agent);
    else scope.agents.register(id, agent, holderIn(scope));
  };
}

/**
 * Registers a tool by its name, for `tool_basic` and every agent that asks for it. Throws when the name is taken, or is
 * not one that model providers take.
 */
export function registerTool(tool: Tool): void {
  const scope = currentPlugin();
  if (scope === undefined) createToolbox().add(tool);
  else scope.toolbox.add(tool, holderIn(scope));
}
