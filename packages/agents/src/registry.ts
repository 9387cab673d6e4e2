/** The one registry of agents: id → class. Registering is what importing an agent's module does. */
import type { AgentManifest } from "@agent-paas/shared/contract/agents.ts";
import { z } from "zod";
import type { AgentClass } from "./agent.ts";

const AGENT_ID = /^[a-z][a-z0-9_-]{0,63}$/;

const agents = new Map<string, { agent: AgentClass; manifest: AgentManifest }>();

/**
 * Registers an agent class under an id: `registerAgent("shout")(ShoutAgent)`, or `@registerAgent("shout")` where a
 * transpiler knows decorators. Throws when the id is not `a-z0-9_-`, or is taken, and when the config schema has no JSON
 * Schema form.
 */
export function registerAgent(id: string) {
  return <Schema extends z.ZodType>(agent: AgentClass<Schema>): void => {
    if (!AGENT_ID.test(id))
      throw new Error(`"${id}" is no agent id: use a-z, 0-9, '_' and '-', starting with a letter`);
    if (agents.has(id)) throw new Error(`An agent "${id}" is registered already`);
    agents.set(id, { agent: agent as unknown as AgentClass, manifest: describe(id, agent) });
  };
}

export const findAgent = (id: string): AgentClass | undefined => agents.get(id)?.agent;

/** What workers publish of their agents. */
export const listManifests = (): AgentManifest[] => [...agents.values()].map(({ manifest }) => manifest);

const describe = <Schema extends z.ZodType>(id: string, agent: AgentClass<Schema>): AgentManifest => ({
  id,
  description: agent.description,
  config_schema: z.toJSONSchema(agent.config, { io: "input" }) as Record<string, unknown>,
  tools: [...(agent.tools ?? [])],
});
