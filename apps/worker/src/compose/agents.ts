/** Builds what agents work with: model, embedder, vector store, tools, plugins. Part of the composition root. */
import { registerBuiltInAgents } from "@agent-paas/agents/agents/built-in.ts";
import { createDocumentReader, type DocumentReader } from "@agent-paas/agents/documents/read-document.ts";
import { closeSchemaThreads } from "@agent-paas/agents/json-schema/json-schema.ts";
import type { Embedder } from "@agent-paas/agents/model/embedder.ts";
import type { OfferedModels } from "@agent-paas/agents/model/model-choice.ts";
import { type AgentRegistry, createAgentRegistry } from "@agent-paas/agents/registry/agent-registry.ts";
import { loadPlugins } from "@agent-paas/agents/registry/plugins.ts";
import { createToolbox, type Toolbox } from "@agent-paas/agents/registry/toolbox.ts";
import { createHybridEmbedder, readingAlso } from "@agent-paas/agents/retrieval/hybrid-embedder.ts";
import { createLocalEmbedder } from "@agent-paas/agents/retrieval/local-embedder.ts";
import type { VectorStore } from "@agent-paas/agents/retrieval/vector-store.ts";
import { registerBuiltInTools } from "@agent-paas/agents/tools/built-in.ts";
import type { Releasers } from "@agent-paas/shared/lifecycle/releasers.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import type { WorkerConfig, WorkerSettings } from "../config.ts";
import { type Connections, createConnections } from "./connections.ts";
import { createOfferedModels } from "./models.ts";

export type AgentServices = {
  readonly models: OfferedModels;
  readonly embedder: Embedder;
  readonly isHybrid: boolean;
  /** Null without `CHROMA_URL`. */
  readonly store: VectorStore | null;
  readonly reader: DocumentReader;
  readonly agents: AgentRegistry;
  readonly toolbox: Toolbox;
};

export async function openAgentServices(
  config: WorkerSettings,
  logger: Logger,
  releasers: Releasers,
): Promise<AgentServices> {
  const connections = createConnections(config, logger, releasers);
  releasers.add("schema threads", closeSchemaThreads);
  const reader = createDocumentReader({
    pages: config.MAX_DOCUMENT_PAGES,
    textBytes: config.MAX_DOCUMENT_BYTES,
    withinMs: config.DOCUMENT_READ_TIMEOUT_MS,
  });
  releasers.add("document threads", () => reader.close());
  const mcp = await connections.mcp();
  const registries = { agents: createAgentRegistry(), toolbox: createToolbox(mcp) };
  // The platform's own names come first, so that no plugin takes them.
  registerBuiltInAgents(registries.agents);
  registerBuiltInTools(registries.toolbox, {
    httpFetchHosts: config.HTTP_FETCH_ALLOWED_HOSTS,
    httpFetchProxy: config.HTTP_FETCH_PROXY,
  });
  if (config.AGENTS_DIR !== undefined) {
    await connections.useForFetch();
    const failures = await loadAgentsOf(config.AGENTS_DIR, registries, logger);
    if (failures > 0 && config.AGENTS_STRICT === "on")
      throw new Error("AGENTS_STRICT: not every plugin could be loaded");
  }
  mcp.start();
  releasers.add("mcp servers", () => mcp.close());

  return {
    models: createOfferedModels(config, connections.provider),
    embedder: chooseEmbedder(config, connections),
    isHybrid: config.RETRIEVAL_HYBRID === "on",
    store: connections.store,
    ...{ reader, ...registries },
  };
}

function chooseEmbedder(
  { EMBEDDING_MODEL: model, RETRIEVAL_HYBRID }: WorkerConfig,
  connections: Pick<Connections, "embedder">,
): Embedder {
  const local = createLocalEmbedder();
  if (model === undefined) return local;
  const meaning = connections.embedder(model);
  const hybrid = createHybridEmbedder(meaning, local);
  return RETRIEVAL_HYBRID === "on" ? readingAlso(hybrid, meaning) : readingAlso(meaning, hybrid);
}

type Registries = Pick<AgentServices, "agents" | "toolbox">;

/** Returns how many plugins could not be loaded. */
async function loadAgentsOf(folder: string, registries: Registries, logger: Logger): Promise<number> {
  const { loaded, failed } = await loadPlugins(folder, registries);
  logger.info({ plugins: loaded }, "plugins loaded");
  for (const { file, reason } of failed) logger.error({ plugin: file, reason }, "a plugin could not be loaded");
  return failed.length;
}
