/** GET /v1/models and GET /v1/models/{model}: the agents that live workers offer. */
import { z } from "zod";
import type { Route } from "../../../http/door.ts";
import { jsonResponse } from "../../../http/operation.ts";
import { liveAgent, liveAgents, type OfferedAgent } from "../../../presence/agent-catalog.ts";
import type { Services } from "../../../services.ts";

const ModelSchema = z
  .object({
    id: z.string().describe("The id of an agent."),
    object: z.literal("model"),
    created: z.int().describe("0: agents have no time of creation."),
    owned_by: z.string(),
    description: z.string(),
  })
  .meta({
    id: "OpenAIModel",
    examples: [
      {
        id: "chat_basic",
        object: "model",
        created: 0,
        owned_by: "agent-paas",
        description: "Answers in conversation.",
      },
    ],
  });

const ModelListSchema = z.object({ object: z.literal("list"), data: z.array(ModelSchema) });

const viewOf = ({ id, description }: OfferedAgent): z.infer<typeof ModelSchema> => ({
  id,
  object: "model",
  created: 0,
  owned_by: "agent-paas",
  description,
});

export const listModels = ({ agentCatalog }: Services): Route => ({
  method: "get",
  path: "/models",
  access: "key",
  operation: {
    id: "listModels",
    tag: "OpenAI",
    summary: "List the agents as models",
    responses: { 200: jsonResponse("The agents that live workers offer.", ModelListSchema) },
    errors: ["queue_unavailable"],
  },
  async handle(_req, res) {
    res.json({ object: "list", data: liveAgents(await agentCatalog.refresh()).map(viewOf) });
  },
});

export const getModel = ({ agentCatalog }: Services): Route => ({
  method: "get",
  path: "/models/:model",
  access: "key",
  operation: {
    id: "retrieveModel",
    tag: "OpenAI",
    summary: "Get an agent as a model",
    params: { model: z.string().describe("The id of an agent.") },
    responses: { 200: jsonResponse("The agent.", ModelSchema) },
    errors: ["queue_unavailable", "agent_not_found", "agent_unavailable"],
  },
  async handle(req, res) {
    res.json(viewOf(liveAgent(await agentCatalog.refresh(), String(req.params.model))));
  },
});
