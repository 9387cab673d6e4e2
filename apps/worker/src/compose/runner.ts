/** What runs agents and system jobs: model, tools, documents, journal. */
import { createKnowledgeJobs } from "../knowledge/knowledge-jobs.ts";
import { createRetrieverFor } from "../knowledge/retriever.ts";
import type { Uploads } from "../knowledge/uploads.ts";
import { type AgentRunner, createAgentRunner } from "../run/agent-runner.ts";
import type { AgentServices } from "./agents.ts";
import type { Repositories } from "./storage.ts";

export function createRunner(
  { model, embedder, store, agents, toolbox }: AgentServices,
  { documents, sessions, journal }: Repositories,
  uploads: Uploads,
): AgentRunner {
  const knowledge = { documents, store, embedder };
  return createAgentRunner({
    ...{ model, agents, toolbox, sessions, journal },
    retrieverFor: createRetrieverFor(knowledge),
    systemJobs: createKnowledgeJobs({ ...knowledge, uploads }),
  });
}
