/** GET /agents and GET /agents/{id}: the agents that live workers offer. */
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { Route } from "../../../http/door.ts";
import { offeredIn } from "../../../presence/agent-catalog.ts";
import type { Services } from "../../../services.ts";

export const listAgents = ({ agentCatalog }: Services): Route => ({
  method: "get",
  path: "/agents",
  access: "key",
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
  async handle(req, res) {
    const agent = offeredIn(await agentCatalog.refresh(), String(req.params.id));
    if (agent.workers === 0) throw new PlatformError("agent_not_found");
    res.json(agent);
  },
});
