/** GET /agents and GET /agents/{id}: the agents that live workers offer. */
import { AgentManifestSchema } from "@agent-paas/shared/contract/agents.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { z } from "zod";
import type { Route } from "../../../http/door.ts";
import { jsonResponse } from "../../../http/operation.ts";
import { offeredIn } from "../../../presence/agent-catalog.ts";
import type { Services } from "../../../services.ts";
import { AgentIdSchema } from "../request-fields.ts";

const AgentSchema = AgentManifestSchema.extend({
  workers: z.int().describe("How many live workers offer it."),
}).meta({ id: "Agent" });

const AgentListSchema = z.object({ agents: z.array(AgentSchema) });

export const listAgents = ({ agentCatalog }: Services): Route => ({
  method: "get",
  path: "/agents",
  access: "key",
  operation: {
    id: "listAgents",
    tag: "Agents",
    summary: "List the agents that live workers offer",
    responses: { 200: jsonResponse("The agents.", AgentListSchema) },
    errors: ["queue_unavailable"],
  },
  async handle(_req, res) {
    const { agents } = await agentCatalog.refresh();
    const offered = [...agents.values()].filter(({ workers }) => workers > 0);
    res.json({ agents: offered.sort((a, b) => (a.id < b.id ? -1 : 1)) });
  },
});

export const getAgent = ({ agentCatalog }: Services): Route => ({
  method: "get",
  path: "/agents/:id",
  access: "key",
  operation: {
    id: "getAgent",
    tag: "Agents",
    summary: "Get an agent",
    params: { id: AgentIdSchema },
    responses: { 200: jsonResponse("The agent.", AgentSchema) },
    errors: ["queue_unavailable", "agent_not_found", "agent_unavailable"],
  },
  async handle(req, res) {
    const agent = offeredIn(await agentCatalog.refresh(), String(req.params.id));
    if (agent.workers === 0) throw new PlatformError("agent_not_found");
    res.json(agent);
  },
});
