/** What plugins call to register. The registries are those of the load that imports the plugin. */
import type { z } from "zod";
import type { AgentClass } from "../agent/agent.ts";
import type { Tool } from "../tools/tool.ts";
import { currentPlugin, holderIn, type PluginScope } from "./plugin-scope.ts";

/**
 * Registers an agent class under an id: `registerAgent("shout")(ShoutAgent)`, or `@registerAgent("shout")` where a
 * transpiler supports decorators. Throws when the id is not `a-z0-9_-`, or is taken, when the class lacks a member,
 * when its config schema has no JSON Schema form, and outside the import of a plugin.
 */
export function registerAgent(id: string) {
  return <Schema extends z.ZodType>(agent: AgentClass<Schema>): void => {
    const scope = pluginScope("registerAgent");
    scope.agents.register(id, agent, holderIn(scope));
  };
}

/**
 * Registers a tool by its name, for `tool_basic` and every agent that asks for it. Throws when the name is taken, or is
 * not one that model providers take, and outside the import of a plugin.
 */
export function registerTool(tool: Tool): void {
  const scope = pluginScope("registerTool");
  scope.toolbox.add(tool, holderIn(scope));
}

function pluginScope(caller: string): PluginScope {
  const scope = currentPlugin();
  if (scope !== undefined) return scope;
  throw new Error(`${caller} works only while the platform imports a plugin: put the module into AGENTS_DIR`);
}
