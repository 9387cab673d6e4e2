/** GET /agents and GET /agents/{id}: the agents that live workers offer. */
import { AgentManifestSchema } from "@agent-paas/shared/contract/agents.ts";
import { z } from "zod";
import type { Route } from "../../../http/door.ts";
import { jsonResponse } from "../../../http/operation.ts";
import { liveAgent, liveAgents } from "../../../presence/agent-catalog.ts";
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
    res.json({ agents: liveAgents(await agentCatalog.refresh()) });
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
    res.json(liveAgent(await agentCatalog.refresh(), String(req.params.id)));
  },
});
