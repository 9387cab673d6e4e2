/** The one registry of agents: id → class. Registering is what importing an agent's module does. */
import { type AgentManifest, AgentManifestSchema } from "@agent-paas/shared/contract/agents.ts";
import { z } from "zod";
import type { AgentClass } from "../agent/agent.ts";
import { matchesName } from "../tools/toolbox.ts";
import { createRegistry } from "./registrations.ts";

const AGENT_ID = /^[a-z][a-z0-9_-]{0,63}$/;

const agents = createRegistry<{ readonly agent: AgentClass; readonly manifest: AgentManifest }>("agent");

/**
 * Registers an agent class under an id: `registerAgent("shout")(ShoutAgent)`, or `@registerAgent("shout")` where a
 * transpiler knows decorators. Throws when the id is not `a-z0-9_-`, or is taken, when the class lacks something, and
 * when its config schema has no JSON Schema form.
 */
export function registerAgent(id: string) {
  return <Schema extends z.ZodType>(agent: AgentClass<Schema>): void => {
    if (!AGENT_ID.test(id))
      throw new Error(`"${id}" is no agent id: use a-z, 0-9, '_' and '-', starting with a letter`);
    agents.add(id, { agent: agent as unknown as AgentClass, manifest: describe(id, agent) });
  };
}

export const findAgent = (id: string): AgentClass | undefined => agents.get(id)?.agent;

/** What workers publish of their agents; `toolNames` are those of the tools at hand. */
export const listManifests = (toolNames: readonly string[]): AgentManifest[] =>
  agents.values().map(({ manifest }) => ({ ...manifest, tools: expand(manifest.tools, toolNames) }));

/** Nobody has checked a plugin's types: Node strips them. */
function describe<Schema extends z.ZodType>(id: string, agent: AgentClass<Schema>): AgentManifest {
  if (typeof agent.prototype?.run !== "function") throw new Error(`The agent "${id}" has no method "run"`);
  if (!(agent.config instanceof z.ZodType)) throw new Error(`The agent "${id}" has no Zod schema as static "config"`);
  const { description, tools = [] } = agent;
  const schema = z.toJSONSchema(agent.config, { io: "input" });
  // The API checks requests by it.
  z.fromJSONSchema(schema);
  const manifest = AgentManifestSchema.safeParse({ id, description, config_schema: schema, tools });
  if (!manifest.success) throw new Error(`The agent "${id}" is incomplete: ${z.prettifyError(manifest.error)}`);
  return manifest.data;
}

/** A tool that an agent brings along is in no toolbox, so a plain name stands for itself. */
const expand = (patterns: readonly string[], toolNames: readonly string[]): string[] => [
  ...new Set(
    patterns.flatMap((pattern) =>
      pattern.endsWith("*") ? toolNames.filter((name) => matchesName(pattern, name)) : [pattern],
    ),
  ),
];
