/** What runs agents and system jobs: model, tools, documents, journal. */
import { createKnowledgeJobs } from "../knowledge/knowledge-jobs.ts";
import { createRetrieverFor } from "../knowledge/retriever.ts";
import { createStoreTurns } from "../knowledge/store-turns.ts";
import type { Uploads } from "../knowledge/uploads.ts";
import { type AgentRunner, createAgentRunner } from "../run/agent-runner.ts";
import type { WorkerCounters } from "../run/worker-counters.ts";
import type { AgentServices } from "./agents.ts";
import type { RedisParts } from "./redis.ts";
import type { Repositories } from "./storage.ts";

export function createRunner(
  { models, embedder, isHybrid, store, reader, agents, toolbox }: AgentServices,
  { documents, sessions, journal, suspensions }: Repositories,
  uploads: Uploads,
  counters: WorkerCounters,
  { queueRedis, keys }: RedisParts,
): AgentRunner {
  const knowledge = { documents, store, embedder, isHybrid };
  return createAgentRunner({
    ...{ models, agents, toolbox, sessions, journal, suspensions, counters },
    retrieverFor: createRetrieverFor(knowledge),
    systemJobs: createKnowledgeJobs({ ...knowledge, uploads, reader, turns: createStoreTurns(queueRedis, keys) }),
  });
}
