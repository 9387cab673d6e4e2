/** Builds what agents work with: model, embedder, vector store, tools, plugins. Part of the composition root. */
import { registerBuiltInAgents } from "@agent-paas/agents/agents/built-in.ts";
import { createDocumentReader, type DocumentReader } from "@agent-paas/agents/documents/read-document.ts";
import { createHttpAgent, useForFetch } from "@agent-paas/agents/http/http-agent.ts";
import { closeSchemaThreads } from "@agent-paas/agents/json-schema/json-schema.ts";
import type { Embedder } from "@agent-paas/agents/model/embedder.ts";
import type { Model } from "@agent-paas/agents/model/model.ts";
import { createOpenAiProvider, type OpenAiProvider } from "@agent-paas/agents/model/openai/provider.ts";
import { type AgentRegistry, createAgentRegistry } from "@agent-paas/agents/registry/agent-registry.ts";
import { loadPlugins } from "@agent-paas/agents/registry/plugins.ts";
import { createToolbox, type Toolbox } from "@agent-paas/agents/registry/toolbox.ts";
import { createChromaStore } from "@agent-paas/agents/retrieval/chroma-store.ts";
import { createHybridEmbedder, readingAlso } from "@agent-paas/agents/retrieval/hybrid-embedder.ts";
import { createLocalEmbedder } from "@agent-paas/agents/retrieval/local-embedder.ts";
import type { VectorStore } from "@agent-paas/agents/retrieval/vector-store.ts";
import { registerBuiltInTools } from "@agent-paas/agents/tools/built-in.ts";
import { createMcpTools } from "@agent-paas/agents/tools/mcp/mcp-tools.ts";
import { chromaHeaders } from "@agent-paas/shared/config/common-config.ts";
import type { Releasers } from "@agent-paas/shared/lifecycle/releasers.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import { formOf, type WorkerConfig } from "../config.ts";

export type AgentServices = {
  readonly model: Model;
  readonly embedder: Embedder;
  readonly isHybrid: boolean;
  /** Null without `CHROMA_URL`. */
  readonly store: VectorStore | null;
  readonly reader: DocumentReader;
  readonly agents: AgentRegistry;
  readonly toolbox: Toolbox;
};

export async function openAgentServices(
  config: WorkerConfig,
  logger: Logger,
  releasers: Releasers,
): Promise<AgentServices> {
  const proxy = { http: config.HTTP_PROXY, https: config.HTTPS_PROXY, bypass: config.NO_PROXY };
  const connections = createHttpAgent({ proxy });
  releasers.add("http connections", () => connections.destroy());
  useForFetch(connections);
  releasers.add("schema threads", closeSchemaThreads);
  const openProvider = (baseUrl: string, apiKey: string): OpenAiProvider => {
    const limits = {
      connectMs: config.MODEL_CONNECT_TIMEOUT_MS,
      firstTokenMs: config.MODEL_FIRST_TOKEN_TIMEOUT_MS,
      idleMs: config.MODEL_IDLE_TIMEOUT_MS,
      totalMs: config.MODEL_TOTAL_TIMEOUT_MS,
    };
    const provider = createOpenAiProvider({ baseUrl, apiKey, limits, proxy });
    releasers.add("model provider", () => provider.close());
    return provider;
  };
  const provider = openProvider(config.OPENAI_BASE_URL, config.OPENAI_API_KEY);
  const embeddings =
    config.EMBEDDING_BASE_URL === undefined && config.EMBEDDING_API_KEY === undefined
      ? provider
      : openProvider(
          config.EMBEDDING_BASE_URL ?? config.OPENAI_BASE_URL,
          config.EMBEDDING_API_KEY ?? config.OPENAI_API_KEY,
        );

  const reader = createDocumentReader({
    pages: config.MAX_DOCUMENT_PAGES,
    textBytes: config.MAX_DOCUMENT_BYTES,
    withinMs: config.DOCUMENT_READ_TIMEOUT_MS,
  });
  releasers.add("document threads", () => reader.close());
  const mcp = createMcpTools(config.MCP_SERVERS ?? {}, logger);
  const registries = { agents: createAgentRegistry(), toolbox: createToolbox(mcp) };
  // The platform's own names come first, so that no plugin takes them.
  registerBuiltInAgents(registries.agents);
  registerBuiltInTools(registries.toolbox, { httpFetchHosts: config.HTTP_FETCH_ALLOWED_HOSTS });
  if (config.AGENTS_DIR !== undefined) await loadAgentsOf(config.AGENTS_DIR, registries, logger);
  mcp.start();
  releasers.add("mcp servers", () => mcp.close());

  return {
    model: provider.model({
      defaultModel: config.LLM_MODEL,
      responseFormat: config.LLM_RESPONSE_FORMAT,
      form: formOf(config),
    }),
    embedder: chooseEmbedder(config, embeddings),
    isHybrid: config.RETRIEVAL_HYBRID === "on",
    store:
      config.CHROMA_URL === undefined
        ? null
        : createChromaStore({ url: config.CHROMA_URL, headers: chromaHeaders(config) }),
    ...{ reader, ...registries },
  };
}

function chooseEmbedder(
  { EMBEDDING_MODEL: model, EMBEDDING_BATCH_SIZE, RETRIEVAL_HYBRID }: WorkerConfig,
  provider: OpenAiProvider,
): Embedder {
  const local = createLocalEmbedder();
  if (model === undefined) return local;
  const meaning = provider.embedder(model, EMBEDDING_BATCH_SIZE);
  const hybrid = createHybridEmbedder(meaning, local);
  return RETRIEVAL_HYBRID === "on" ? readingAlso(hybrid, meaning) : readingAlso(meaning, hybrid);
}

type Registries = Pick<AgentServices, "agents" | "toolbox">;

async function loadAgentsOf(folder: string, registries: Registries, logger: Logger): Promise<void> {
  const { loaded, failed } = await loadPlugins(folder, registries);
  logger.info({ plugins: loaded }, "plugins loaded");
  for (const { file, reason } of failed) logger.error({ plugin: file, reason }, "a plugin could not be loaded");
}
